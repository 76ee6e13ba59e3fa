"""`equity_curve.csv`: one row for each end of a bar, quickly, and the same bytes each time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from hydra.research.equity import EquityCurve, Floats
from hydra.trading.durations import SECOND

HEADER = b"at,equity,cash,exposure,drawdown_pct\r\n"
"""`at` is ISO 8601 in UTC; money is in USD, in cents; `drawdown_pct` is zero or more."""
_ROW = "%sZ,%.2f,%.2f,%.2f,%.4f\r\n"
_ROWS_AT_ONCE = 50_000


def curve_csv(curve: EquityCurve) -> Iterator[bytes]:
    """The file in pieces. Times have nanoseconds if one of them needs them."""
    yield HEADER
    unit: Literal["ns", "s"] = "ns" if (curve.at % SECOND).any() else "s"
    times = curve.at.astype(np.dtype("datetime64[ns]"))
    for start in range(0, len(curve.at), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        columns = (
            np.datetime_as_string(times[part], unit=unit).tolist(),
            _rounded(curve.equity[part], 2),
            _rounded(curve.cash[part], 2),
            _rounded(curve.exposure[part], 2),
            _rounded(curve.drawdown_pct[part], 4),
        )
        yield "".join(map(_ROW.__mod__, zip(*columns, strict=True))).encode()


def _rounded(values: Floats, decimals: int) -> list[float]:
    """So that zero has no sign."""
    rounded: list[float] = (np.round(values, decimals) + 0.0).tolist()
    return rounded
