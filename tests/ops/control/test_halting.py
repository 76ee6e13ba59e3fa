"""An operator's halt of a running engine: shut at once, and proven to be on record."""

from pathlib import Path

import pytest

from hydra.actor import SECOND
from hydra.ops.control.halting import ON_RECORD_WITHIN
from hydra.ops.debug.client import EngineClient
from hydra.store.halt_marker import HaltMarkerFailed
from hydra.trading.causes import OPERATOR_CLOSE_ONLY, OPERATOR_HALT
from hydra.trading.trading_state import Cause, TradingState
from tests.ops.control.command_line import ME
from tests.ops.control.engines import ControlledEngine, controlled


def test_a_halt_shuts_the_gate_and_says_when_it_was_drained_and_on_record_i02(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.open_gate()

    told = client.call("halt", reason="a drill")

    (cause,) = engine.gate.standing()
    assert cause == OPERATOR_HALT.cause(since=cause.since, detail=f"a drill (control socket, {ME})")
    took = {name: told.pop(name) for name in ("after_ms", "on_record_after_ms")}
    assert 0 <= took["after_ms"] <= took["on_record_after_ms"] < 5_000
    assert told == {
        "state": "HALTED",
        "code": "operator-halt",
        "epoch": engine.gate.epoch,
        "acknowledged": True,
        "in_flight_then": [],
        "in_flight": [],
        "on_record": "ledger",
        "fault": None,
    }
    assert engine.lines("control_halt") == [{"reason": "a drill", "by": ME, "state": "HALTED"}]


def test_a_close_only_is_a_cause_of_its_own_and_lets_reducing_orders_pass(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.open_gate()

    told = client.call("halt", reason="a drill", close_only=True)

    (cause,) = engine.gate.standing()
    assert cause == OPERATOR_CLOSE_ONLY.cause(
        since=cause.since, detail=f"a drill (control socket, {ME})"
    )
    assert (told["state"], told["code"], told["on_record"]) == (
        "CLOSE_ONLY",
        "operator-close-only",
        "ledger",
    )


def test_a_close_only_makes_no_halt_milder_i07(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.open_gate()
    client.call("halt", reason="a drill")

    assert client.call("halt", reason="a drill", close_only=True)["state"] == "HALTED"


def test_a_halt_gets_through_while_every_actor_hangs_i12(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.halting.ON_RECORD_WITHIN", SECOND // 5)
    marked: list[Cause] = []
    with controlled(tmp_path, mark_halt=marked.append) as engine:
        engine.open_gate()
        engine.make_everybody_hang()
        with EngineClient(engine.files.control_socket) as client:
            told = client.call("halt", reason="a drill")

        assert engine.gate.state is TradingState.HALTED
        assert (told["acknowledged"], told["on_record"]) == (True, "halt marker")
        assert "the risk_guardian did not answer ReportTradingState within" in told["fault"]
        assert marked == list(engine.gate.standing())


def test_a_halt_that_the_ledger_does_not_take_is_kept_in_the_marker_i03(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.halting.ON_RECORD_WITHIN", SECOND // 20)
    marked: list[Cause] = []
    with controlled(tmp_path, mark_halt=marked.append) as engine:
        engine.told.records_halts = False
        engine.open_gate()
        with EngineClient(engine.files.control_socket) as client:
            told = client.call("halt", reason="a drill")

        assert (told["state"], told["on_record"]) == ("HALTED", "halt marker")
        assert told["fault"] == "the risk_guardian has not seen it made durable"
        assert marked == list(engine.gate.standing())


def test_a_halt_that_nothing_keeps_halts_and_is_not_said_to_be_on_record_i02(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.halting.ON_RECORD_WITHIN", SECOND // 20)

    def fail(cause: Cause) -> None:
        raise HaltMarkerFailed("cannot halt in the marker: no disk")

    with controlled(tmp_path, mark_halt=fail) as engine:
        engine.told.records_halts = False
        engine.open_gate()
        with EngineClient(engine.files.control_socket) as client:
            told = client.call("halt", reason="a drill")

        assert (told["state"], told["on_record"], told["on_record_after_ms"]) == (
            "HALTED",
            None,
            None,
        )
        assert told["fault"].endswith("made durable; cannot halt in the marker: no disk")


def test_the_record_has_the_time_that_the_design_gives_it_i02() -> None:
    assert ON_RECORD_WITHIN == 5 * SECOND
