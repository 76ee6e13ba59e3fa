"""`bench`: qualifies this machine against the bars that the design sets. See `measurements`."""

from hydra.ops.bench.command import main

__all__ = ["main"]
