"""Bars and settings as users have them: in files."""

import csv
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from hydra.trading.bars import Bar
from hydra.trading.durations import SECOND
from tests.ops.sessions import HOME


def written(file: Path, bars: Iterable[Bar]) -> Path:
    """The file, with these bars of one symbol."""
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(("ts_utc", "open", "high", "low", "close", "volume"))
        for bar in bars:
            at = datetime.fromtimestamp(bar.start_at // SECOND, UTC).isoformat()
            rows.writerow((at, bar.open, bar.high, bar.low, bar.close, bar.volume))
    return file


def config_with(changes: Mapping[str, str], folder: Path) -> Path:
    """A copy of the shipped configuration with these words of `bots.yaml` replaced."""
    config = Path(shutil.copytree(HOME / "config", folder / "config"))
    bots = config / "bots.yaml"
    text = bots.read_text()
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    bots.write_text(text)
    return config
