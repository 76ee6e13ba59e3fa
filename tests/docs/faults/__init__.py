"""The faults that Hydra has to survive, and what shows that it does."""
