"""The files that a replay leaves: figures, curve, trades and the tear sheet."""

from __future__ import annotations

from pathlib import Path

from hydra.ops.artefacts.folder import replace
from hydra.research.closed_trades import trades_csv
from hydra.research.curve_file import curve_csv
from hydra.research.facts import ReplayFacts
from hydra.research.metrics import Metrics, as_json, measured

METRICS, CURVE, TRADES, SHEET = (
    "metrics.json",
    "equity_curve.csv",
    "trades.csv",
    "tear_sheet.html",
)


def write_outcome(folder: Path, facts: ReplayFacts, *, with_sheet: bool = True) -> Metrics:
    """Write them into `folder`, which is there; each file is whole or not at all.

    The same facts give the same bytes. Without the sheet, what draws is not even loaded. Raises
    OSError, BadFill, and ValueError where the bars are not in order.
    """
    found = measured(facts)
    replace(folder / CURVE, b"".join(curve_csv(found.curve)))
    replace(folder / TRADES, trades_csv(found.traded.trades))
    if with_sheet:
        from hydra.research.tear_sheet import tear_sheet

        replace(folder / SHEET, tear_sheet(found))
    replace(folder / METRICS, as_json(found.metrics))
    return found.metrics
