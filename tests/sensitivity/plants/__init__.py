"""The planted bugs, by the sections of docs/invariants.md."""
