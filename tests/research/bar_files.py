"""Bars as users have them: in a file."""

import csv
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from hydra.trading.bars import Bar
from hydra.trading.durations import SECOND


def written(file: Path, bars: Iterable[Bar]) -> Path:
    """The file, with these bars of one symbol."""
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("ts_utc", "open", "high", "low", "close", "volume"))
        for bar in bars:
            at = datetime.fromtimestamp(bar.start_at // SECOND, UTC).isoformat()
            rows.writerow((at, bar.open, bar.high, bar.low, bar.close, bar.volume))
    return file
