"""What the outcomes of calls do to the gate."""

from typing import Any

import pytest

from hydra.trading.durations import MINUTE
from hydra.trading.trading_state import TradingState
from hydra.venues.alpaca.call_watch import CallWatch
from hydra.venues.alpaca.http import Failure
from hydra.venues.alpaca.outcomes import Outcome, outcome_of
from hydra.venues.alpaca.payloads import read_nothing
from tests.venues.alpaca.venue_world import NOW, WatchedGate, open_gate


class Scene:
    """A watch over calls, its gate, and the machine's time."""

    def __init__(self, *, failures_halt: bool = True) -> None:
        self.gate: WatchedGate = open_gate()
        self.machine_time = 0
        self.watch = CallWatch(
            self.gate,
            failures_max=5,
            window_ns=MINUTE,
            failures_halt=failures_halt,
            market_time=lambda: NOW,
            machine_time=lambda: self.machine_time,
        )


def ended(failure: Failure) -> Outcome[Any]:
    return outcome_of(failure, read_nothing)


UNTRUSTED = ended(
    Failure(cause="the certificate does not hold: self-signed", sent=False, untrusted=True)
)
NOT_THERE = ended(Failure(cause="cannot connect: ConnectionRefusedError", sent=False))


@pytest.mark.parametrize("failures_halt", [True, False])
def test_a_host_that_does_not_prove_to_be_the_broker_halts_at_once(failures_halt: bool) -> None:
    scene = Scene(failures_halt=failures_halt)

    scene.watch.note(UNTRUSTED)

    assert scene.gate.state is TradingState.HALTED
    (cause,) = scene.gate.standing()
    assert cause.code == "api_failures"
    assert cause.detail == "the certificate does not hold: self-signed"


def test_it_counts_as_failing_for_as_long_as_too_many_failures_do() -> None:
    scene = Scene()
    scene.watch.note(UNTRUSTED)

    scene.machine_time = MINUTE - 1
    at_first = scene.watch.is_failing
    scene.machine_time = MINUTE

    assert (at_first, scene.watch.is_failing) == (True, False)


def test_a_host_that_is_just_not_there_halts_after_so_many_calls() -> None:
    scene = Scene()

    for number in range(5):
        assert scene.gate.state is TradingState.ACTIVE, number
        scene.watch.note(NOT_THERE)

    assert scene.gate.state is TradingState.HALTED
