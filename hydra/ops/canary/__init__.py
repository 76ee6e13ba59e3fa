"""`hydra-trader canary`: whether the broker's contract is still the one that Hydra goes by."""
