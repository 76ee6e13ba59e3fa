"""An example of what another distribution can bring to Hydra."""
