"""The proof of fail-closed: whole days of the engine under faults, from a seed (SCOPE K1)."""
