"""Bugs planted on purpose, each against one invariant, and which tests notice."""
