"""Where the real market data lies: beside the project, and never in it."""

from pathlib import Path

import pytest

MARKET_DATA = Path(__file__).resolve().parents[3] / "shared" / "market-data"


def real(file: str) -> Path:
    """A real data file; the test is skipped where there is no such file."""
    path = MARKET_DATA / file
    if not path.exists():
        pytest.skip(f"real market data is not at hand: {MARKET_DATA.name}/{file}")
    return path
