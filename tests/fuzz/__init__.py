"""Random and spoilt input for everything that Hydra reads from outside; see `docs/fuzzing.md`."""
