"""What an operator tells a running engine: resume and flatten, and who does not answer."""

import pytest

from hydra.actor import SECOND
from hydra.ops.debug.client import CommandFailed, EngineClient
from hydra.trading.trading_state import TradingState
from messages.control import Flatten, FlattenReported, Resume, ResumeNoted, WithdrawFlatten
from supervisors import paths
from tests.ops.control.command_line import ME
from tests.ops.control.engines import ControlledEngine


def test_a_resume_is_the_guardians_to_judge_and_stands_in_the_journal_i04(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.open_gate()
    client.call("halt", reason="a drill")
    engine.told.refused = ("daily_loss: wait",)

    told = client.call("resume", reason="it was a drill", codes=["operator-halt"])

    assert told == {"noted": ["operator-halt"], "refused": ["daily_loss: wait"]}
    assert engine.told.resumes == [
        Resume(reason="it was a drill", operator=ME, codes=("operator-halt",))
    ]
    assert engine.lines("control_resume") == [
        {"reason": "it was a drill", "by": ME, "codes": ("operator-halt",)}
    ]


def test_the_server_itself_never_opens_the_gate_i04(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.told.clears_what_is_noted = False
    client.call("halt", reason="a drill")
    before = engine.gate.standing()

    client.call("resume", reason="it was a drill")
    told = client.call("trading-state")

    assert engine.gate.standing() == before
    assert (told["trading_state"], told["noted"]) == ("HALTED", ["start", "operator-halt"])
    assert [cause["ends"] for cause in told["causes"]] == [
        "at the next clean pass: an operator has let it go"
    ] * 2


def test_a_flatten_is_told_to_the_flattener_and_followed(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.told.steps = [
        FlattenReported(phase="pausing", detail="the gate is shut"),
        FlattenReported(
            phase="closing", detail="1 order", open_orders=("x-1",), positions=(("AAPL", "10"),)
        ),
        FlattenReported(phase="flat", detail="nothing is left"),
    ]

    steps = [client.call("flatten", reason="enough", pause="halted")]
    steps += [client.call("flatten-progress"), client.call("flatten-progress")]

    assert engine.told.flattens == [
        Flatten(reason="enough", operator=ME, pause=TradingState.HALTED)
    ]
    assert [step["phase"] for step in steps] == ["pausing", "closing", "flat"]
    assert steps[1] == {
        "phase": "closing",
        "detail": "1 order",
        "open_orders": ["x-1"],
        "positions": {"AAPL": "10"},
        "opens_at": None,
        "recorded": True,
    }
    assert engine.lines("control_flatten") == [{"reason": "enough", "by": ME, "pause": "halted"}]


def test_its_withdrawal_is_told_to_the_flattener_too(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.told.steps = [
        FlattenReported(phase="waiting", detail="closed", opens_at=1_460_986_200_000_000_000),
        FlattenReported(phase="failed", detail="withdrawn by ada: a mistake"),
    ]

    waiting = client.call("flatten-progress")
    withdrawn = client.call("withdraw-flatten", reason="a mistake")

    assert (waiting["phase"], waiting["opens_at"]) == ("waiting", "2016-04-18T13:30:00.000Z")
    assert (withdrawn["phase"], withdrawn["opens_at"]) == ("failed", None)
    assert engine.told.withdrawals == [WithdrawFlatten(reason="a mistake", operator=ME)]
    assert engine.lines("control_flatten_withdrawn") == [{"reason": "a mistake", "by": ME}]


@pytest.mark.parametrize("command", ["resume", "flatten", "withdraw-flatten"])
def test_who_waits_for_an_actor_that_hangs_is_told_so_in_time_i73(
    engine: ControlledEngine,
    client: EngineClient,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hydra.ops.control.commands.ANSWER_WITHIN", SECOND // 10)
    engine.make_everybody_hang()

    with pytest.raises(CommandFailed) as failed:
        client.call(command, reason="a drill")

    assert "within 0.1 s: `hydra-trader debug state " in str(failed.value)
    assert str(failed.value).endswith(" shows what it does")


def test_what_was_asked_in_vain_is_not_done_later_i04(
    engine: ControlledEngine, client: EngineClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.control.commands.ANSWER_WITHIN", SECOND // 10)
    engine.make_everybody_hang()
    with pytest.raises(CommandFailed):
        client.call("resume", reason="a drill")

    engine.told.release.set()
    assert engine.runtime.settle(within=3)

    assert engine.told.resumes == []


def test_an_actor_that_falls_over_a_command_is_told_as_such(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.told.steps = []

    with pytest.raises(CommandFailed, match=r"^IndexError: list index out of range$"):
        client.call("flatten", reason="enough")


def test_an_answer_to_another_question_is_none(
    engine: ControlledEngine, client: EngineClient
) -> None:
    engine.told.steps = [ResumeNoted(noted=(), refused=())]  # type: ignore[list-item]

    with pytest.raises(CommandFailed) as failed:
        client.call("flatten", reason="enough")

    assert str(failed.value) == (
        "the flattener answered Flatten with ResumeNoted, which is no answer to it"
    )


def test_who_is_asked_and_is_not_there_is_told_as_such(engine: ControlledEngine) -> None:
    engine.runtime.stop_cell(engine.runtime.cells[paths.RISK_GUARDIAN.path], "a test")
    assert engine.runtime.settle(within=3)

    with (
        EngineClient(engine.files.control_socket) as client,
        pytest.raises(CommandFailed, match="NobodyThere: /hydra/core/risk_guardian: "),
    ):
        client.call("resume", reason="a drill")
