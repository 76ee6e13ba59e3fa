"""What Hydra is configured to do, read and compared without starting anything."""
