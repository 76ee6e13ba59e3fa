"""Who says it: one actor class a module. No threads, no clock, no I/O, no randomness."""
