"""What a run says of its halts to whoever started it: each as it comes and as it goes."""

from msgspec import structs

from hydra.ops.said_causes import SaidCauses
from hydra.trading.causes import OPERATOR_CLOSE_ONLY, OPERATOR_HALT
from hydra.trading.kill_switch import Source, Written, kill_cause
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state

HALT = OPERATOR_HALT.cause(since=1, detail="looks wrong (control socket)")
CLOSING = OPERATOR_CLOSE_ONLY.cause(since=1, detail="closing time (control socket)")
STARTING = structs.replace(HALT, code="start", cause_class=CauseClass.START)


def said(*looks: tuple[Cause, ...]) -> list[list[str]]:
    """What is said after each look at what stands."""
    causes = SaidCauses()
    return [list(causes.lines(standing, effective_state(standing))) for standing in looks]


def test_a_halt_is_said_once_while_it_stands_and_again_when_it_comes_again() -> None:
    assert said((), (HALT,), (HALT,), (), (HALT,)) == [
        [],
        ["trading is HALTED: looks wrong (control socket)"],
        [],
        ["cleared: operator-halt; trading is ACTIVE"],
        ["trading is HALTED: looks wrong (control socket)"],
    ]


def test_another_halt_of_the_same_code_is_said_with_its_own_words() -> None:
    second = structs.replace(HALT, detail="something else (control socket)")

    assert said((HALT,), (second,))[1] == ["trading is HALTED: something else (control socket)"]


def test_what_still_stands_is_said_with_what_was_cleared() -> None:
    (_, after) = said((HALT, CLOSING), (CLOSING,))

    assert after == ["cleared: operator-halt; trading is CLOSE_ONLY"]


def test_a_start_and_an_end_say_nothing_and_a_kill_switch_is_named() -> None:
    kill = kill_cause(Source.STATE_FILE, "state/kill_switch", Written(b"halt_all"), 1)
    assert kill is not None

    (begins, killed) = said((STARTING,), (STARTING, kill))

    assert begins == []
    assert [line.partition(": ")[0] for line in killed] == ["KILL SWITCH"]
    assert kill.state is TradingState.HALTED
