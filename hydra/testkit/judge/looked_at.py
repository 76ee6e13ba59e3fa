"""A venue's log that is only read: what a venue that is rebuilt from it would add goes nowhere."""

from __future__ import annotations

from pathlib import Path

from hydra.venues.simulated.request_log import SealedFile
from hydra.venues.simulated.sealed_lines import L, LineFormat


class LookedAt(SealedFile[L]):
    """These lines of it; there is no file behind them."""

    def __init__(self, path: Path, found: tuple[L, ...], lines: LineFormat[L]) -> None:
        super().__init__(path, -1, found, lines)

    def write(self, line: L) -> None:
        """See `RequestLog.write`."""
