"""The actor kernel: cells, mailboxes, supervision, timers, the order gate, two runtimes."""
