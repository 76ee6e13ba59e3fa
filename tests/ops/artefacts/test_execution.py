"""How orders got done and how restless markets were, on a session's page and in its state."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from hydra.ops.artefacts.execution import ExecutionTold, Measured, RegimeTold
from hydra.store.journal_line import timestamp
from tests.ops.artefacts.lives import bundle_in, engine_in
from tests.store.orders import AT

D = Decimal
MEASURED: dict[str, Any] = {
    "symbol": "AAPL",
    "score": D("0.9654"),
    "orders": 12,
    "filled": 10,
    "rejected": 1,
    "unknown": 0,
    "slippage_bps": D("3.58"),
    "slippage_usd": D("1.25"),
    "latency_ms": 7,
    "fill_rate": D(1),
    "reject_rate": D("0.0834"),
}
NOTHING_KNOWN = {"score": None, "slippage_bps": None, "slippage_usd": None, "latency_ms": None}


def line(event: str, **fields: Any) -> dict[str, Any]:
    return {"ts": timestamp(AT), "seq": 1, "event": event, **fields}


def test_the_page_has_what_was_measured_last_of_each_symbol(tmp_path: Path) -> None:
    with engine_in(tmp_path) as engine:
        engine.tell("execution_measured", **{**MEASURED, "orders": 3})
        engine.tell("execution_measured", **{**MEASURED, **NOTHING_KNOWN, "symbol": "SPY"})
        for state, was in (("good", "untried"), ("degraded", "good"), ("untried", "degraded")):
            engine.tell("router_changed", state=state, was=was, score=D("0.96"), orders=12)
        engine.tell("execution_measured", **MEASURED)
        for regime in ("normal", "high", "elevated"):
            engine.tell("regime_changed", symbol="AAPL", regime=regime, was=None)

    bundle = bundle_in(tmp_path)
    page = (bundle / "session.md").read_text()
    assert "At worst the way of orders was degraded." in page
    assert [row for row in page.splitlines() if row.startswith(("| AAPL |", "| SPY |"))] == [
        "| AAPL | 12 | 10 | 1 | 0 | 3.58 | +1.25 | 7 | 0.9654 |",
        "| SPY | 12 | 10 | 1 | 0 | – | – | – | – |",
        "| AAPL | elevated | high | 2 |",
    ]
    state = orjson.loads((bundle / "state.json").read_bytes())
    assert [each["symbol"] for each in state["execution"]] == ["AAPL", "SPY"]
    assert state["regimes"] == [
        {"symbol": "AAPL", "regime": "elevated", "changes": 2, "wildest": "high"}
    ]


def test_a_session_without_orders_has_no_such_sections(tmp_path: Path) -> None:
    with engine_in(tmp_path) as engine:
        engine.tell("execution_measuring")

    page = (bundle_in(tmp_path) / "session.md").read_text()
    assert "## Execution" not in page and "## Volatility" not in page


def test_a_line_that_cannot_be_read_says_nothing() -> None:
    measured = Measured()

    measured.take(line("execution_measured", symbol="AAPL", score="high"))
    measured.take(line("regime_changed", symbol="AAPL", regime="mad", was=None))
    measured.take(line("regime_changed", symbol="AAPL", regime="low", was=None))

    assert measured.execution == ()
    assert measured.regimes == (RegimeTold(symbol="AAPL", regime="low", changes=1, wildest="low"),)


def test_what_was_measured_is_read_from_json_exactly() -> None:
    measured = Measured()
    plain = {
        key: str(each) if isinstance(each, Decimal) else each for key, each in MEASURED.items()
    }

    measured.take(line("execution_measured", **plain))

    known = {key: each for key, each in MEASURED.items() if not key.endswith("_rate")}
    assert measured.execution == (ExecutionTold(**known),)
