"""Looks at an engine, as a watch gets them, made by hand."""

from __future__ import annotations

from typing import Any

from hydra.ops.alerts.conditions import Line, Seen
from hydra.ops.control.wellness import checks_of
from hydra.trading.durations import SECOND
from hydra.trading.findings import Finding
from hydra.trading.trading_state import TradingState

AT = 1_764_000_000 * SECOND
PROCESS = "process 7 on here, since 2026-11-23T08:00:00+00:00"
GONE = (Finding("engine", False, "none runs: no socket"),)


def told(**more: Any) -> dict[str, Any]:
    """What `status` answers of an engine that is well."""
    well = {
        "state": "running",
        "trading_state": TradingState.ACTIVE.name,
        "causes": [],
        "venue": "paper",
        "loops": 12,
        "bots": [{"id": "mom_AAPL", "status": "running", "positions": {}, "budget": "125.00"}],
        "orders": {"open": 0, "unknown": 0, "today": 3},
        "cancels_overdue": [],
        "exposure": "0",
        "heat": "0",
        "equity": "100000.5",
        "coverage_pct": "100",
        "alarms": {},
        "budgets": {"granted": True, "wanted": False},
        "lease_ms": 1_900.0,
        "feed_age_s": 31.0,
        "health": {
            "loop_age_s": 1.0,
            "loop_passed": True,
            "loop_overruns": 0,
            "loop_interval_s": 5.0,
            "components": [
                {"component": name, "is_well": True, "detail": "fine"}
                for name in ("ledger", "journal", "guardian", "gateway", "feed")
            ],
            "trading_stream": "",
            "comparison": "0 differences",
            "agrees": True,
            "compared_age_s": 3.0,
            "reconcile_every_s": 30.0,
        },
        "failed_closed": None,
        "versions": {"hydra": "1"},
        "notes": [],
    }
    return {**well, **more}


def seen(*lines: Line, process: str | None = PROCESS, **more: Any) -> Seen:
    """A look at an engine that answers."""
    answer = told(**more)
    return Seen(findings=checks_of(answer, "1"), told=answer, process=process, lines=lines)


def gone(*, in_order: bool | None = False) -> Seen:
    """A look where no engine runs."""
    return Seen(findings=GONE, ended_in_order=in_order)


def cause(
    code: str,
    state: TradingState = TradingState.HALTED,
    *,
    of: str = "integrity",
    bot: str | None = None,
    symbol: str | None = None,
) -> dict[str, Any]:
    """A row of `causes`."""
    return {
        "code": code,
        "class": of,
        "state": state.name,
        "since": "2026-11-23T08:00:00.000Z",
        "detail": "why",
        "bot": bot,
        "symbol": symbol,
        "not_before": None,
        "ends": "resume",
    }
