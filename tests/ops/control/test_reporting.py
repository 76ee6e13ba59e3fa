"""How a running engine is, over the control socket: nothing is made up."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from hydra.actor import SECOND
from hydra.ops.debug.client import EngineClient
from hydra.trading.causes import THROTTLE
from supervisors import paths
from tests.ops.control.command_line import ME
from tests.ops.control.engines import ControlledEngine, controlled


def test_status_tells_what_is_known_and_null_for_what_is_not(tmp_path: Path) -> None:
    with (
        controlled(tmp_path, bots=("mom_AAPL", "mom_MSFT")) as engine,
        EngineClient(engine.files.control_socket) as client,
    ):
        engine.open_gate()
        engine.told.shown = {
            "risk_guardian": {
                "positions": {"mom_AAPL AAPL": "10"},
                "budgets": {"mom_AAPL": "250.00"},
                "open_orders": 2,
                "unknown_orders": ["x-1"],
                "orders_today": "many",
                "cancels_overdue": ["x-2"],
                "coverage_pct": "66.66",
                "mismatches": ["one AAPL, sell 3: nothing protects it"],
                "taken_over": {"opt_core SPY": "its bot does not run"},
                "dust": {"crypto_core BTC/USD": "0.00001"},
                "alarms": {"stale_feed": "the newest bar is 200 s old"},
                "budgets_granted": True,
                "budgets_wanted": False,
                "risk_mode": "reduced",
            },
            "flattener": {"phase": "none"},
            "health_monitor": {
                "loop": 7,
                "passed": True,
                "overruns": 1,
                "loop_interval": 5 * SECOND,
                "heard_at": "never",
            },
            "broker_gateway": {"last_comparison": "none yet", "agrees": False, "blind": ""},
            "execution_monitor": {
                "since": 1_700_000_000 * SECOND,
                "router": "good",
                "score": Decimal("0.9654"),
                "symbols": {"AAPL": {"orders": 3}},
                "regimes": {"AAPL": "high"},
            },
            "action_watch": {"near": [], "unknown": ["AAPL"], "fault": ""},
        }

        told = client.call("status")

    assert told.pop("at").endswith("Z")
    names = {"hydra", "python", "sqlite", "ledger", "configuration", "traded_as", "plugins"}
    assert told["versions"].keys() == names
    del told["versions"]
    assert told == {
        "state": "running",
        "trading_state": "ACTIVE",
        "causes": [],
        "earliest_clearing": None,
        "mode": "embedded",
        "venue": "embedded",
        "dry_run": False,
        "live": None,
        "account": "PA-TEST",
        "session": None,
        "incarnation": 1,
        "loops": 7,
        "bots": [
            {
                "id": "mom_AAPL",
                "status": "running",
                "restarts": 0,
                "positions": {"AAPL": "10"},
                "budget": "250.00",
            },
            {
                "id": "mom_MSFT",
                "status": "running",
                "restarts": 0,
                "positions": {},
                "budget": None,
            },
        ],
        "orders": {"open": 2, "unknown": 1, "today": None},
        "exposure": None,
        "heat": None,
        "equity": None,
        "drawdown": {"state": None, "trading_day": None, "day_start": None, "peak": None},
        "flatten": "none",
        "cancels_overdue": ["x-2"],
        "budgets": {"granted": True, "wanted": False},
        "coverage_pct": "66.66",
        "mismatches": ["one AAPL, sell 3: nothing protects it"],
        "taken_over": {"opt_core SPY": "its bot does not run"},
        "dust": {"crypto_core BTC/USD": "0.00001"},
        "alarms": {"stale_feed": "the newest bar is 200 s old"},
        "risk_mode": "reduced",
        "execution": {
            "router": "good",
            "score": "0.9654",
            "symbols": {"AAPL": {"orders": 3}},
            "since": "2023-11-14T22:13:20.000Z",
        },
        "regimes": {"AAPL": "high"},
        "corporate_actions": {"near": [], "unknown": ["AAPL"], "fault": ""},
        "lease_ms": 0.0,
        "feed_age_s": None,
        "health": {
            "loop_age_s": None,
            "loop_passed": True,
            "loop_overruns": 1,
            "loop_interval_s": 5.0,
            "components": None,
            "trading_stream": "",
            "comparison": "none yet",
            "agrees": False,
            "compared_age_s": None,
            "reconcile_every_s": None,
        },
        "failed_closed": None,
        "configuration": None,
        "notes": [],
    }


def test_status_tells_what_stands_with_its_class_its_time_and_its_way_out(
    engine: ControlledEngine, client: EngineClient
) -> None:
    client.call("halt", reason="a drill")

    start, halt = client.call("status")["causes"]

    assert (start["code"], start["class"], start["since"]) == ("start", "start", None)
    since = halt.pop("since")
    assert since.startswith("20")
    assert halt == {
        "code": "operator-halt",
        "class": "integrity",
        "state": "HALTED",
        "detail": f"a drill (control socket, {ME})",
        "bot": None,
        "symbol": None,
        "not_before": None,
        "ends": "resume when its reason is gone",
    }


def test_what_is_held_against_one_bot_or_symbol_is_told_too(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.open_gate()
    engine.told.scoped = (THROTTLE.cause(subject="mom_AAPL", since=1, detail="20 round trips"),)

    for command in ("status", "trading-state"):
        told = client.call(command)
        assert told["trading_state"] == "ACTIVE"
        assert [(cause["code"], cause["bot"]) for cause in told["causes"]] == [
            ("throttle:mom_AAPL", "mom_AAPL")
        ]


def test_status_tells_who_is_suspended_for_nothing_else_stands_against_trading(
    tmp_path: Path,
) -> None:
    with (
        controlled(tmp_path, bots=("mom_AAPL",)) as engine,
        EngineClient(engine.files.control_socket) as client,
        EngineClient(engine.files.debug_socket) as debug,
    ):
        engine.open_gate()
        guardian = engine.runtime.cells[paths.RISK_GUARDIAN.path]
        guardian.spec = structs.replace(guardian.spec, critical=True)
        for name in ("risk_guardian", "mom_AAPL"):
            debug.call("suspend", path=name, reason="a closer look")
        held = client.call("status")
        for name in ("risk_guardian", "mom_AAPL"):
            debug.call("resume", path=name, reason="seen")
        let_go = client.call("status")

    assert [note.partition("; ") for note in held["notes"] if "suspended" in note] == [
        (
            "/hydra/core/risk_guardian is suspended and handles nothing: no order moves",
            "; ",
            "`hydra-trader debug resume risk_guardian`",
        ),
        (
            "/hydra/bots/mom_AAPL is suspended and handles nothing",
            "; ",
            "`hydra-trader debug resume mom_AAPL`",
        ),
    ]
    assert [note for note in let_go["notes"] if "suspended" in note] == []


def test_status_answers_while_everybody_hangs_and_invents_nothing_i73(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.reporting.ANSWER_WITHIN", SECOND // 20)
    with (
        controlled(tmp_path, bots=("mom_AAPL",)) as engine,
        EngineClient(engine.files.control_socket) as client,
    ):
        engine.make_everybody_hang()

        told = client.call("status")

    assert told["trading_state"] == "HALTED"
    assert [cause["code"] for cause in told["causes"]] == ["start"]
    assert told["bots"] == [
        {"id": "mom_AAPL", "status": "running", "restarts": 0, "positions": None, "budget": None}
    ]
    assert (told["loops"], told["orders"]) == (None, {"open": None, "unknown": None, "today": None})
    assert [note.partition(" did not ")[0] for note in told["notes"]] == [
        "the risk_guardian",
        "the health_monitor",
        "the data_feed",
        "the flattener",
        "the broker_gateway",
        "the execution_monitor",
        "the action_watch",
    ]
