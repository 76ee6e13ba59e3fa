"""Who may send is proved again and again: silence of the safety chain is enough to stop orders."""

from collections.abc import Iterator

import pytest

from hydra.actor import SECOND, Backoff
from hydra.runtime.lease import DETECT_WITHIN, LEASE, RENEW_EVERY, LeaseKeeper
from hydra.runtime.sim_runtime import SimRuntime
from hydra.trading.trading_state import TradingState
from tests.contracts.runtimes.actors import boom, scripted
from tests.contracts.runtimes.driver import SimDriver, child

A, B = child("a"), child("b")
SLOW = Backoff(base=10 * SECOND, cap=10 * SECOND)


@pytest.fixture
def system() -> Iterator[SimDriver]:
    driver = SimDriver(SimRuntime())
    yield driver
    driver.close()


def keep(system: SimDriver, keeper: LeaseKeeper, times: int) -> None:
    """As the live runtime's watch does it."""
    for _ in range(times):
        keeper.tick(system.runtime.now())
        system.runtime.advance(RENEW_EVERY)


def open_gate(system: SimDriver) -> None:
    gate = system.runtime.gate
    gate.arm((), "a test", gate.epoch)


def test_without_a_safety_chain_nobody_may_send_i08(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log))

    keep(system, LeaseKeeper(system.runtime), 3)

    assert system.runtime.gate.lease_left() <= 0


def test_while_every_member_answers_the_lease_holds(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log, critical=True), scripted("b", log, critical=True))
    open_gate(system)

    keep(system, LeaseKeeper(system.runtime), 10)

    assert system.runtime.gate.lease_left() == LEASE - RENEW_EVERY
    assert system.runtime.gate.state is TradingState.ACTIVE


def test_a_member_that_is_down_ends_the_lease_i08(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log, critical=True, backoff=SLOW), scripted("b", log, critical=True))
    keeper = LeaseKeeper(system.runtime)
    keep(system, keeper, 2)

    system.tell(A, boom())
    system.runtime.settle()
    keep(system, keeper, 1)
    while_it_is_down = system.runtime.gate.lease_left()
    keep(system, keeper, 10 * SECOND // RENEW_EVERY + 1)

    assert while_it_is_down <= 0
    assert system.runtime.gate.lease_left() > 0


def test_a_member_that_proves_no_progress_shuts_the_gate_once_i08_i70(
    system: SimDriver, log: list[str]
) -> None:
    system.start(scripted("a", log, critical=True), scripted("b", log, critical=True))
    open_gate(system)
    trips: list[str] = []
    system.runtime.gate.on_trip(lambda cause, _epoch: trips.append(cause.code))
    keeper = LeaseKeeper(system.runtime)
    keep(system, keeper, 2)

    remove = system.runtime.add_filter(  # no ping reaches it
        lambda cell, envelope: () if cell.path == A.path else None
    )
    keep(system, keeper, DETECT_WITHIN // RENEW_EVERY + 5)
    remove()

    assert trips == ["failed:/root/a"]
    assert system.runtime.gate.state is TradingState.HALTED
    assert system.runtime.gate.lease_left() <= 0
    told = [event for event in system.runtime.history if event.what == "halted"]
    assert [(each.path, each.detail) for each in told] == [("/root/a", "no progress for 2.5 s")]


def test_a_member_that_is_silent_once_more_halts_once_more_i70(
    system: SimDriver, log: list[str]
) -> None:
    system.start(scripted("a", log, critical=True), scripted("b", log, critical=True))
    keeper = LeaseKeeper(system.runtime)
    states: list[TradingState] = []

    for _ in range(2):
        keep(system, keeper, 2)
        open_gate(system)  # as an operator does who has resumed: it had gone on by itself
        remove = system.runtime.add_filter(lambda cell, _: () if cell.path == A.path else None)
        keep(system, keeper, DETECT_WITHIN // RENEW_EVERY + 5)
        remove()
        states.append(system.runtime.gate.state)

    assert states == [TradingState.HALTED, TradingState.HALTED]
    assert system.cell(A).incarnation == 1


def test_who_stood_still_itself_blames_no_member_for_it_and_renews_when_all_have_answered_i08(
    system: SimDriver, log: list[str]
) -> None:
    system.start(scripted("a", log, critical=True), scripted("b", log, critical=True))
    open_gate(system)
    keeper = LeaseKeeper(system.runtime)
    keep(system, keeper, 2)

    system.runtime.advance(10 * DETECT_WITHIN)  # the process was stopped: nobody asked anybody
    keeper.tick(system.runtime.now())
    before_they_were_asked = system.runtime.gate.lease_left()
    system.runtime.advance(RENEW_EVERY)
    keep(system, keeper, 1)

    assert before_they_were_asked <= 0
    assert system.runtime.gate.state is TradingState.ACTIVE
    assert system.runtime.gate.lease_left() == LEASE - RENEW_EVERY


def test_nor_where_it_stood_still_for_less_and_an_answer_was_just_on_its_way_i08(
    system: SimDriver, log: list[str]
) -> None:
    stands_still = DETECT_WITHIN - SECOND // 10
    system.start(scripted("a", log, critical=True), scripted("b", log, critical=True))
    open_gate(system)
    keeper = LeaseKeeper(system.runtime)
    keep(system, keeper, 2)
    remove = system.runtime.add_filter(
        lambda cell, _: (stands_still + 1,) if cell.path == A.path else None
    )

    keeper.tick(system.runtime.now())
    remove()
    system.runtime.advance(stands_still)
    keeper.tick(system.runtime.now())
    before_it_has_answered = system.runtime.gate.lease_left()
    system.runtime.advance(RENEW_EVERY)
    keep(system, keeper, 1)

    assert before_it_has_answered <= 0
    assert system.runtime.gate.state is TradingState.ACTIVE
    assert system.runtime.gate.lease_left() == LEASE - RENEW_EVERY


def test_a_member_that_does_not_answer_after_a_standstill_is_found_out_all_the_same_i08_i70(
    system: SimDriver, log: list[str]
) -> None:
    system.start(scripted("a", log, critical=True), scripted("b", log, critical=True))
    open_gate(system)
    keeper = LeaseKeeper(system.runtime)
    keep(system, keeper, 2)
    remove = system.runtime.add_filter(lambda cell, _: () if cell.path == A.path else None)

    system.runtime.advance(10 * DETECT_WITHIN)
    leases: list[int] = []
    for _ in range(DETECT_WITHIN // RENEW_EVERY + 2):
        keep(system, keeper, 1)
        leases.append(system.runtime.gate.lease_left())
    remove()

    assert max(leases) <= 0
    assert [cause.code for cause in system.runtime.gate.standing()] == ["failed:/root/a"]


def test_a_suspended_member_still_proves_progress(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log, critical=True))
    open_gate(system)
    system.suspend(A)

    keep(system, LeaseKeeper(system.runtime), 10)

    assert system.runtime.gate.state is TradingState.ACTIVE


def test_an_ordinary_actor_has_no_say_in_it(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log, critical=True), scripted("b", log, backoff=SLOW))
    open_gate(system)
    system.tell(B, boom())

    keep(system, LeaseKeeper(system.runtime), 3)

    assert system.runtime.gate.lease_left() > 0
