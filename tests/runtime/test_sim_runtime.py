"""What only virtual time promises: exact times, exact order, no idle ticks in canonical time."""

import random
from collections.abc import Iterator
from itertools import pairwise

import pykka
import pytest

from hydra.actor import MILLISECOND, MINUTE, SECOND, Backoff, Context, MailboxSpec
from hydra.runtime.envelope import DeadLetterReason, Envelope
from hydra.runtime.explore import ExploreOptions
from hydra.runtime.sim_runtime import EPOCH, SimRuntime
from hydra.runtime.system import Watch
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.lifecycle import StopChild
from messages.message import Message
from supervisors.strategies import OnExceeded
from tests.contracts.runtimes.actors import Do, Note, Quote, UrgentNote, boom, note, scripted, tell
from tests.contracts.runtimes.driver import ROOT, SimDriver, child, supervision

A, B = child("a"), child("b")


class Odd(Message, frozen=True, kw_only=True):
    """Its content has no form in JSON."""

    table: dict[tuple[int, int], int]


@pytest.fixture
def system() -> Iterator[SimDriver]:
    driver = SimDriver(SimRuntime(strict=True, trace=True))
    yield driver
    driver.close()


def test_a_timer_fires_at_the_very_nanosecond(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log))
    times: list[int] = []
    due = Do(action=lambda ctx: times.append(ctx.now()))

    system.tell(A, Do(action=lambda ctx: ctx.after(1_234_567, due)))
    system.runtime.advance(SECOND)

    assert times == [EPOCH + 1_234_567]
    assert system.runtime.now() == EPOCH + SECOND


def test_a_periodic_timer_fires_at_every_multiple_of_its_period(
    system: SimDriver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    times: list[int] = []
    tick = Do(action=lambda ctx: times.append((ctx.now() - EPOCH) // SECOND))

    system.tell(A, Do(action=lambda ctx: ctx.every(SECOND, tick, key="tick")))
    system.runtime.advance(5 * SECOND)

    assert times == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("coalesce", "ticks"), [(True, [1, 11]), (False, list(range(1, 26)))])
def test_between_two_events_a_coalescing_timer_fires_once(
    system: SimDriver, log: list[str], coalesce: bool, ticks: list[int]
) -> None:
    system.start(scripted("a", log))
    times: list[int] = []
    tick = Do(action=lambda ctx: times.append((ctx.now() - EPOCH) // SECOND))
    system.tell(A, Do(action=lambda c: c.every(SECOND, tick, key="tick", coalesce=coalesce)))

    played = system.runtime.play(
        [(EPOCH, note("first")), (EPOCH + 10 * SECOND, note(1)), (EPOCH + 25 * SECOND, note(2))],
        lambda event: system.tell(A, event),
    )

    assert (played, times) == (3, ticks)


CLOSED = Cause(
    code="a test",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=EPOCH,
    detail="a test",
)
OPENS, LAST, NEXT_DAY = 0, 20, 20 + 18 * 60
"""Minutes at which events come: twenty of them, a night, and some of the next day."""


@pytest.mark.parametrize(
    ("halted_from", "ticks"),
    [
        (None, [0, 8, 16, 24, NEXT_DAY]),
        (12, [0, 8, *range(13, 20), NEXT_DAY, NEXT_DAY + 1, NEXT_DAY + 2]),
    ],
)
def test_idle_ticks_are_left_out_until_trading_halts_or_a_pause_is_over(
    log: list[str], halted_from: int | None, ticks: list[int]
) -> None:
    driver = SimDriver(SimRuntime(idle_ticks_every=8 * MINUTE))
    runtime, times = driver.runtime, list[int]()
    driver.start(scripted("a", log))
    runtime.gate.arm((), "a test", runtime.gate.epoch)
    tick = Do(action=lambda ctx: times.append((ctx.now() - EPOCH) // MINUTE))
    driver.tell(A, Do(action=lambda ctx: ctx.every(SECOND, tick, key="tick")))

    def happen(minute: int) -> None:
        if minute == halted_from:
            runtime.gate.trip(CLOSED)

    minutes = [*range(OPENS, LAST), *range(NEXT_DAY, NEXT_DAY + 4)]
    runtime.play([(EPOCH + minute * MINUTE, minute) for minute in minutes], happen)
    driver.close()

    assert times == ticks


def test_timers_due_with_an_event_come_before_it(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log))
    system.tell(A, Do(action=lambda ctx: ctx.after(SECOND, note("timer"), key="t")))

    system.runtime.play([(EPOCH + SECOND, note("event"))], lambda event: system.tell(A, event))

    assert log == ["start a#1", "a#1 timer", "a#1 event"]


def test_events_that_go_back_in_time_are_refused(system: SimDriver) -> None:
    events = [(EPOCH + 2, note(1)), (EPOCH + 1, note(2))]

    with pytest.raises(ValueError, match="events must ascend in time"):
        system.runtime.play(events, lambda event: None)


def test_the_clocks_stand_still_within_a_message(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log))
    seen: list[tuple[int, int]] = []

    def look_later(ctx: Context) -> None:
        for _ in range(2):
            seen.append((ctx.now(), ctx.market_time()))
            system.runtime._now += 5

    system.tell(A, Do(action=look_later))
    system.runtime.settle()

    assert seen == [(EPOCH, EPOCH), (EPOCH, EPOCH)]


def test_the_market_time_of_a_message_set_aside_is_that_of_its_handling(
    system: SimDriver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    seen: list[int] = []

    def look(ctx: Context) -> None:
        seen.append(ctx.market_time() - EPOCH)
        if len(seen) == 1:
            ctx.stash()

    system.tell(A, Do(action=look))
    system.runtime.advance(SECOND)
    system.tell(A, Do(action=lambda ctx: ctx.unstash()))
    system.runtime.settle()

    assert seen == [0, SECOND]


def test_the_pause_before_a_restart_is_the_seeded_share_of_a_doubling_base(
    system: SimDriver, log: list[str]
) -> None:
    backoff = Backoff(base=SECOND, cap=4 * SECOND, stable_after=100 * SECOND)
    system.start(scripted("a", log, backoff=backoff))

    pauses = [pause_after_a_crash(system) for _ in range(4)]

    jitters = [pause / longest for pause, longest in zip(pauses, (1, 2, 4, 4), strict=True)]
    assert all(SECOND / 2 <= jitter < SECOND for jitter in jitters)
    assert len(set(jitters)) == 4


def test_a_child_that_ran_long_enough_pauses_as_briefly_as_the_first_time(
    system: SimDriver, log: list[str]
) -> None:
    backoff = Backoff(base=SECOND, cap=MINUTE, stable_after=10 * SECOND)
    system.start(scripted("a", log, backoff=backoff))
    pauses = [pause_after_a_crash(system) for _ in range(3)]

    system.runtime.advance(10 * SECOND)
    after_a_stable_time = pause_after_a_crash(system)

    assert pauses[2] >= 2 * SECOND
    assert after_a_stable_time <= SECOND


def pause_after_a_crash(system: SimDriver) -> int:
    """Crash `a` and give the virtual time until it runs again."""
    before, incarnation = system.runtime.now(), system.cell(A).incarnation
    system.tell(A, boom())
    system.until(lambda: system.cell(A).incarnation == incarnation + 1)
    return system.runtime.now() - before


def test_the_intensity_window_slides(log: list[str]) -> None:
    system = SimDriver(SimRuntime())
    policy = supervision(restarts=2, period=10 * SECOND, on_exceeded=OnExceeded.QUARANTINE)
    system.start(scripted("a", log), policy=policy)

    for _ in range(4):  # two in any ten seconds, for a while
        pause_after_a_crash(system)
        system.runtime.advance(5 * SECOND)
    within_its_budget = system.cell(A).shown_status
    system.tell(A, boom(), boom(), boom())
    system.runtime.advance(SECOND)

    assert (within_its_budget, system.cell(A).shown_status) == ("running", "quarantined")
    system.close()


def test_quiet_is_counted_from_the_last_message(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log))
    system.tell(A, Do(action=lambda ctx: ctx.set_receive_timeout(10 * SECOND)))
    system.runtime.advance(8 * SECOND)
    system.tell(A, note("something"))

    system.runtime.advance(9 * SECOND)
    early = list(log)
    system.runtime.advance(SECOND)

    assert early == ["start a#1", "a#1 something"]
    assert log == ["start a#1", "a#1 something", "a#1 quiet"]


def test_a_late_periodic_timer_does_not_burst_in_the_explore_schedule(log: list[str]) -> None:
    options = ExploreOptions(seed=1, delayed=0.0, service_mean=0, timer_late_mean=SECOND)
    system = SimDriver(SimRuntime(explore=options))
    system.start(scripted("a", log))
    times: list[int] = []
    tick = Do(action=lambda ctx: times.append(ctx.now()))

    system.tell(A, Do(action=lambda ctx: ctx.every(MILLISECOND, tick, key="tick")))
    system.runtime.advance(10 * SECOND)

    assert len(times) > 1_000
    assert min(after - before for before, after in pairwise(times)) > 0
    system.close()


def test_the_simulation_does_not_run_within_itself(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log))

    system.tell(A, Do(action=lambda _ctx: system.runtime.settle()))
    system.runtime.settle()

    assert system.cell(A).last_failure() == "RuntimeError: the simulation is running already"


def test_a_filter_sees_every_message_between_actors_until_it_is_removed(
    system: SimDriver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    seen: list[str] = []

    def look(cell: object, envelope: Envelope) -> None:
        if isinstance(envelope.message, Note):
            seen.append(envelope.message.text)

    remove = system.runtime.add_filter(look)
    system.tell(A, tell(B, note(1)))
    system.runtime.settle()
    remove()
    system.tell(A, tell(B, note(2)))
    system.runtime.settle()

    assert seen == ["1"]
    assert log[2:] == ["b#1 1", "b#1 2"]


@pytest.mark.parametrize(
    ("delays", "expected"),
    [
        ((), []),
        ((SECOND,), ["b#1 1"]),
        ((0, SECOND), ["b#1 1", "b#1 1"]),
    ],
)
def test_a_filter_says_when_each_copy_arrives(
    system: SimDriver, log: list[str], delays: tuple[int, ...], expected: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.runtime.add_filter(
        lambda cell, envelope: delays if isinstance(envelope.message, Note) else None
    )

    system.tell(A, tell(B, note(1)))
    system.runtime.advance(SECOND)

    assert log[2:] == expected
    assert system.dead_reasons() == ({"dropped": 1} if delays == () else {})


def test_a_message_without_a_form_in_json_is_traced_all_the_same(
    system: SimDriver, log: list[str]
) -> None:
    system.start(scripted("a", log))
    trace = system.runtime.trace
    assert trace is not None
    before = trace.hash

    system.tell(A, Odd(table={(1, 2): 3}))
    system.runtime.settle()

    assert trace.hash != before
    assert [line.message_type for line in trace.lines][-2:] != []


def test_what_is_handled_after_the_end_is_accounted_for(system: SimDriver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log))
    gone = system.cell(B)
    system.ask(ROOT, StopChild(name="b"))

    for message in (Watch(A.path), UrgentNote(text="late")):
        gone.handle_control(Envelope(message, ("~test", 0, 1), None, None, 0))
    system.runtime.settle()

    assert log[-1] == "a#1 terminated /root/b#1: had stopped"
    assert system.dead_for(DeadLetterReason.STOPPED) == [UrgentNote(text="late")]


def test_draws_depend_on_the_seed_the_path_and_the_incarnation_alone(log: list[str]) -> None:
    def draws(seed: int) -> list[float]:
        drawn: list[float] = []
        system = SimDriver(SimRuntime(seed=seed))
        system.start(scripted("a", log), scripted("b", log))
        draw = Do(action=lambda ctx: drawn.append(ctx.rng.random()))
        system.tell(A, draw, boom(), draw)
        system.tell(B, draw)
        system.runtime.advance(SECOND)
        system.close()
        return drawn

    random.seed(1)
    first = draws(1)
    random.seed(2)
    assert draws(1) == first
    assert len(set(first)) == 3
    assert set(draws(2)).isdisjoint(first)


def test_a_simulation_is_never_in_the_registry_of_the_process(
    system: SimDriver, log: list[str]
) -> None:
    system.start(scripted("a", log))

    assert pykka.ActorRegistry.get_all() == []


def test_the_same_message_to_a_conflating_mailbox_counts_once_in_line(
    system: SimDriver, log: list[str]
) -> None:
    spec = MailboxSpec(conflate=lambda m: m.symbol if isinstance(m, Quote) else None)
    system.start(scripted("a", log, mailbox=spec))

    system.tell(A, *(Quote(symbol="AAPL", price=price) for price in range(5)), note("end"))
    system.runtime.settle()

    assert log == ["start a#1", "a#1 AAPL 4", "a#1 end"]
