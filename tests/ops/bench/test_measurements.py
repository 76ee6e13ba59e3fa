"""Each measurement once, as small as it goes: whether it still works, never how fast it is."""

import gc
import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from hydra.ops.bench import (
    crowd,
    dispatch,
    durable,
    gate,
    guard_chain,
    halt,
    hops,
    memory,
    order_path,
    quotes_absorbed,
    rest_order,
    simulated_day,
    tick_to_order,
)
from hydra.ops.bench.rows import CouldNotMeasure, Effort, Measured, Measurement
from hydra.ports import GateKey, GateRefused, Permit, PermitClass
from hydra.runtime.clock import machine_time
from hydra.runtime.gate import UNLIMITED_LEASE, Gate

TINY = Effort(rounds=1, scale=0.001)
PROJECT = Path(__file__).resolve().parents[3]

TRIES = 3

Take = Callable[[Effort], tuple[Measured, ...]]


def taken(take: Take) -> tuple[Measured, ...]:
    """What it gives. Beside other tests a machine may have no time for it, and it says so then."""
    for _ in range(TRIES - 1):
        with suppress(CouldNotMeasure):
            return take(TINY)
    return take(TINY)


@pytest.mark.parametrize(
    ("take", "figures"),
    [
        pytest.param(dispatch.take_sim_dispatch, 1, marks=pytest.mark.slow),
        pytest.param(partial(hops.take_tell, count=500), 2, marks=pytest.mark.slow),
        pytest.param(hops.take_round_trips, 2, marks=pytest.mark.slow),
        (partial(crowd.take_fan_out, size=20), 1),
        (partial(crowd.take_start_stop, size=5), 1),
        (gate.take_passage, 1),
        pytest.param(guard_chain.take_guard_chain, 2, marks=pytest.mark.slow),
        pytest.param(order_path.take_forgetful, 2, marks=pytest.mark.slow),
        pytest.param(rest_order.take_rest_order, 3, marks=pytest.mark.slow),
        pytest.param(partial(quotes_absorbed.take_absorbed, a_frame=10), 1, marks=pytest.mark.slow),
    ],
)
def test_it_gives_a_value_and_a_bound_for_each_of_its_figures(take: Take, figures: int) -> None:
    measured = taken(take)

    assert len(measured) == figures
    assert all(0 < one.value < math.inf and 0 < one.bound_value < math.inf for one in measured)


def test_no_look_at_all_that_a_process_holds_keeps_trading_from_going_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held = [[number] for number in range(100_000)]
    looked_at: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: looked_at.append(len(gc.get_objects())))

    order_path.take_forgetful(TINY)

    before_it_trades, *while_it_trades = looked_at
    assert before_it_trades > len(held)
    assert max(while_it_trades) < len(held)


def test_the_durable_order_path_is_measured_on_the_disk_it_is_given(tmp_path: Path) -> None:
    measured = order_path.take_durable(TINY, tmp_path)

    assert all(0 < one.value < math.inf and 0 < one.bound_value < math.inf for one in measured)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("measurement", "figures"),
    [
        pytest.param(tick_to_order.quiet, 8, marks=pytest.mark.slow),
        pytest.param(tick_to_order.busy, 8, marks=pytest.mark.slow),
    ],
)
def test_ticks_become_orders_between_two_sockets(
    measurement: Callable[[Path], Measurement], figures: int, tmp_path: Path
) -> None:
    one = measurement(tmp_path)

    measured = taken(one.take)

    assert len(measured) == len(one.figures)
    latencies = measured[:figures]
    assert all(0 < each.value < math.inf and 0 < each.bound_value < math.inf for each in latencies)
    submitted, arrived = latencies[0::4], latencies[2::4]
    assert all(call.value < wire.value for call, wire in zip(submitted, arrived, strict=True))
    assert list(tmp_path.iterdir()) == []


def test_commits_that_come_together_are_measured_on_the_disk_they_are_given(
    tmp_path: Path,
) -> None:
    (measured,) = durable.take_grouped(TINY, tmp_path)

    assert 0 < measured.value < math.inf
    assert 0 < measured.bound_value < math.inf
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said_to_be_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CouldNotMeasure, match="cannot write below"):
        order_path.take_durable(TINY, tmp_path / "missing")


def test_the_simulated_day_trades_the_shipped_configuration() -> None:
    (measured,) = simulated_day.take_simulated_day(TINY, PROJECT / "config")

    assert 0 < measured.bound_value < measured.value < math.inf


def test_settings_that_are_refused_are_said_to_be_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CouldNotMeasure, match=r"settings\.yaml"):
        simulated_day.take_simulated_day(TINY, tmp_path)


@pytest.mark.slow
def test_a_busy_engine_is_halted_and_sends_nothing_afterwards_i01(tmp_path: Path) -> None:
    *latencies, sent_after = taken(partial(halt.take_halts, folder=tmp_path, queued=100))

    assert len(latencies) + 1 == len(halt.FIGURES)
    assert all(0 < one.value < math.inf and 0 < one.bound_value < math.inf for one in latencies)
    assert sent_after.value == 0
    assert sent_after.bound_value > 0
    assert list(tmp_path.iterdir()) == []


def test_every_judgement_finds_as_many_orders_working_as_the_one_before() -> None:
    desk = guard_chain.Desk()

    for _ in range(3 * guard_chain.BOTS):
        assert min(desk.judge_next()) > 0
        assert len(desk.risk.book.open_orders) == guard_chain.WORKING
        assert len(desk.risk.book.positions) == guard_chain.BOTS


def test_memory_is_measured_in_a_process_of_its_own() -> None:
    assert 0 <= memory.probe("mailboxes", 100) < 1_000


def test_a_process_that_fails_is_said_to_be_the_reason() -> None:
    with pytest.raises(CouldNotMeasure, match="nonsense × 1: exit 1: KeyError"):
        memory.probe("nonsense", 1)


def test_a_halt_is_raced_and_nothing_passes_i01() -> None:
    race = gate.Race(gate.open_gate(), submitters=2)

    race.run(20)

    assert race.verdict() == (0, 0)


class LeakyGate(Gate):
    """Lets through what it should refuse."""

    def enter(self, order_id: str, epoch: int, key: GateKey, permit_class: PermitClass) -> Permit:
        try:
            return super().enter(order_id, epoch, key, permit_class)
        except GateRefused:
            return Permit(-1, order_id, self.epoch)


class HastyGate(Gate):
    """Says that nothing is in flight without having looked."""

    def when_drained(self, listener: Callable[[int], None]) -> None:
        listener(self.epoch)


def opened(a_gate: Gate) -> Gate:
    a_gate.register(gate.KEY)
    a_gate.renew_lease(UNLIMITED_LEASE)
    a_gate.arm((), "a test", a_gate.epoch)
    return a_gate


def test_a_gate_that_leaks_after_a_halt_loses_the_race() -> None:
    race = gate.Race(opened(LeakyGate(machine_time)), submitters=2)

    race.run(20)

    submits, _ = race.verdict()
    assert submits > 0


def test_a_gate_that_acknowledges_too_early_loses_the_race() -> None:
    race = gate.Race(opened(HastyGate(machine_time)), submitters=4)

    race.run(50)

    _, writes = race.verdict()
    assert writes > 0
