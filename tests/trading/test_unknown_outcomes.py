"""The search for orders whose outcome is unknown, told second by second."""

from collections.abc import Iterable
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.durations import SECOND
from hydra.trading.unknown_outcomes import (
    LOOK_PATIENCE_NS,
    BecameUnknown,
    Effect,
    Escalate,
    Event,
    Found,
    GiveUpAsAbsent,
    LookFailed,
    LookUp,
    NotFound,
    Resolved,
    Revived,
    SnapshotWithout,
    TakeSnapshot,
    Tick,
    UnknownOutcomes,
    after,
)

ORDER, OTHER = "hy1-20240102-0123456789abcdef-e", "hy1-20240102-fedcba9876543210-x"
START = 1_000 * SECOND
"""When everything here becomes unknown."""

PLANNED = (1, 2, 4, 8, 15, 30, 40, 50, 60, 70, 80, 90)
ABSENT = (
    "7 looks found nothing, and neither did a snapshot after them, 41 s after it became unknown"
)


class Telling:
    """One `UnknownOutcomes`, told what happens, in seconds from the start."""

    def __init__(self, limit_s: int = 60) -> None:
        self.outcomes = UnknownOutcomes(limit_ns=limit_s * SECOND)
        self.tell(BecameUnknown(ORDER, START))

    def tell(self, event: Event) -> tuple[Effect, ...]:
        self.outcomes, effects = after(self.outcomes, event)
        return effects

    def tick(self, s: float) -> tuple[Effect, ...]:
        return self.tell(Tick(at(s)))

    def not_found(self, s: float) -> tuple[Effect, ...]:
        return self.tell(NotFound(ORDER, at(s)))

    def snapshot_without(self, s: float, asked: float | None = None) -> tuple[Effect, ...]:
        return self.tell(SnapshotWithout(ORDER, at(s if asked is None else asked), at(s)))

    def look_in_vain(self, seconds: Iterable[float]) -> list[Effect]:
        """Look at these seconds; each look finds nothing at once. Gives what else was told."""
        told: list[Effect] = []
        for s in seconds:
            told += [*self.tick(s), *self.not_found(s)]
        return [effect for effect in told if effect != LookUp(ORDER)]

    @property
    def next_due_s(self) -> float | None:
        due = self.outcomes.next_due
        return None if due is None else (due - START) / SECOND


def at(s: float) -> int:
    return START + round(s * SECOND)


def test_looks_come_at_1_2_4_8_15_30_s_and_every_10_s_from_then_on_i19() -> None:
    telling, looked = Telling(), []
    for tenth in range(901):
        if LookUp(ORDER) in telling.tick(tenth / 10):
            looked.append(tenth / 10)
            telling.not_found(tenth / 10)

    assert looked == list(PLANNED)


def test_the_next_tick_is_wanted_when_the_next_look_or_the_limit_is_due_i19() -> None:
    telling, wanted = Telling(), []
    while (due := telling.next_due_s) is not None and due < 100:
        wanted.append(due)
        if LookUp(ORDER) in telling.tick(due):
            telling.tell(LookFailed(ORDER, at(due)))

    assert wanted == list(PLANNED)


def test_nothing_is_wanted_while_nothing_is_unknown_i19() -> None:
    assert UnknownOutcomes(limit_ns=60 * SECOND).next_due is None


def test_an_order_that_nobody_finds_is_given_up_once_a_snapshot_lacks_it_too_i19() -> None:
    telling = Telling()

    assert telling.look_in_vain(PLANNED[:6]) == []
    assert telling.look_in_vain([40]) == [TakeSnapshot(ORDER)]
    assert telling.snapshot_without(41, asked=40) == (
        GiveUpAsAbsent(ORDER, f"{ABSENT}: absent, unproven"),
    )
    assert (telling.outcomes.unresolved, telling.outcomes.next_due) == ((), None)


def test_an_order_is_given_up_once_i19() -> None:
    telling = Telling()
    telling.look_in_vain(PLANNED[:7])
    telling.snapshot_without(41)

    assert telling.snapshot_without(42) == ()
    assert telling.look_in_vain(PLANNED[7:]) == []


def test_no_number_of_looks_gives_an_order_up_without_a_snapshot_i19() -> None:
    told = Telling(limit_s=600).look_in_vain([*PLANNED, *range(100, 590, 10)])

    assert set(told) == {TakeSnapshot(ORDER)}


def test_looks_over_less_than_30_s_give_nothing_up_i19() -> None:
    telling = Telling()
    telling.look_in_vain(PLANNED[:5])
    telling.look_in_vain([30.999])

    assert telling.snapshot_without(31) == ()


def test_looks_over_30_s_are_enough_i19() -> None:
    telling = Telling()
    telling.look_in_vain([*PLANNED[:5], 31])

    assert [type(effect) for effect in telling.snapshot_without(31)] == [GiveUpAsAbsent]


def test_three_looks_are_too_few_however_long_they_took_i19() -> None:
    telling = Telling()
    telling.look_in_vain([1, 20, 59])
    assert telling.snapshot_without(59) == ()

    telling.tick(63)
    telling.not_found(63)
    assert [type(effect) for effect in telling.snapshot_without(63)] == [GiveUpAsAbsent]


def test_a_look_is_as_old_as_its_beginning_not_as_its_answer_i19() -> None:
    telling = Telling()
    telling.look_in_vain(PLANNED[:5])
    telling.tick(30)
    telling.not_found(44)

    assert telling.snapshot_without(45) == ()


def test_a_snapshot_that_was_asked_for_before_the_last_look_proves_nothing_i19() -> None:
    telling = Telling()
    telling.look_in_vain(PLANNED[:6])
    telling.tick(40)
    telling.not_found(40.5)

    assert telling.snapshot_without(41, asked=40.499) == ()
    assert [type(effect) for effect in telling.snapshot_without(42, asked=40.5)] == [GiveUpAsAbsent]


def test_a_snapshot_is_wanted_again_while_none_has_decided_i19() -> None:
    telling = Telling()
    telling.look_in_vain(PLANNED[:7])

    assert telling.look_in_vain([50]) == [TakeSnapshot(ORDER)]
    assert [type(effect) for effect in telling.snapshot_without(52, asked=41)] == [GiveUpAsAbsent]


def test_a_look_that_could_not_be_made_proves_nothing_i19() -> None:
    telling = Telling()
    told: list[Effect] = []
    for s in PLANNED:
        told += [*telling.tick(s), *telling.tell(LookFailed(ORDER, at(s)))]
        told += telling.snapshot_without(s)

    assert [type(effect) for effect in told if effect != LookUp(ORDER)] == [Escalate]


def test_failed_looks_do_not_take_back_what_others_did_not_find_i19() -> None:
    telling = Telling()
    telling.look_in_vain([1])
    for s in (2, 4, 8):
        telling.tick(s)
        telling.tell(LookFailed(ORDER, at(s)))

    assert telling.look_in_vain([15, 30, 40]) == [TakeSnapshot(ORDER)]


@pytest.mark.parametrize("proof", [Found(ORDER), Resolved(ORDER)])
def test_once_the_order_is_proven_the_search_is_over_i17_i19(proof: Event) -> None:
    telling = Telling()
    telling.look_in_vain([1, 2])
    telling.tick(4)

    assert telling.tell(proof) == ()
    assert telling.outcomes == UnknownOutcomes(limit_ns=60 * SECOND)
    assert [*telling.not_found(5), *telling.tick(60), *telling.snapshot_without(60)] == []


def test_what_is_unresolved_after_the_limit_is_told_once_and_looked_for_still_i19() -> None:
    telling = Telling()
    for s in PLANNED[:8]:
        telling.tick(s)
        telling.tell(LookFailed(ORDER, at(s)))

    reason = "unknown for 60 s, at most 60 s allowed; 8 looks, 0 of them found nothing"
    assert telling.tick(59.999) == ()
    assert telling.tick(60) == (Escalate(ORDER, reason), LookUp(ORDER))
    telling.tell(LookFailed(ORDER, at(60)))
    assert telling.tick(70) == (LookUp(ORDER),)


@pytest.mark.parametrize(
    "event",
    [NotFound(ORDER, at(61)), LookFailed(ORDER, at(61)), SnapshotWithout(ORDER, START, at(61))],
)
def test_whatever_happens_first_after_the_limit_tells_of_it_i19(event: Event) -> None:
    telling = Telling()
    telling.tick(1)

    (escalation,) = telling.tell(event)

    assert isinstance(escalation, Escalate)
    assert escalation.reason.startswith("unknown for 61 s, at most 60 s allowed; 1 looks, 0 of")


def test_the_limit_is_the_configured_one_i19() -> None:
    telling = Telling(limit_s=20)

    assert [effect for effect in telling.tick(19.999) if effect != LookUp(ORDER)] == []
    assert [type(effect) for effect in telling.tick(20)] == [Escalate]


def test_an_order_may_be_given_up_after_it_was_told_of_i19() -> None:
    telling = Telling()
    told = telling.look_in_vain([31, 45, 55, 65])

    assert [type(effect) for effect in told] == [Escalate, TakeSnapshot]
    assert [type(effect) for effect in telling.snapshot_without(65)] == [GiveUpAsAbsent]


def test_an_order_that_was_given_up_is_not_told_of_at_the_limit_i19() -> None:
    telling = Telling()
    telling.look_in_vain(PLANNED[:7])
    telling.snapshot_without(41)

    assert telling.tick(60) == ()


@pytest.mark.parametrize("proof", [Found(ORDER), Resolved(ORDER)])
def test_an_order_that_shows_up_after_it_was_given_up_is_told_once_i19(proof: Event) -> None:
    telling = Telling()
    telling.look_in_vain(PLANNED[:7])
    telling.snapshot_without(41)

    assert telling.tell(proof) == (Revived(ORDER, "given up as absent, and now it is there"),)
    assert telling.tell(proof) == ()


def test_an_order_that_becomes_unknown_again_gets_no_new_time_i19() -> None:
    telling = Telling()
    telling.look_in_vain([1, 2])
    before = telling.outcomes

    assert telling.tell(BecameUnknown(ORDER, at(30))) == ()
    assert telling.outcomes == before


def test_an_order_that_was_given_up_is_not_looked_for_again_i19() -> None:
    telling = Telling()
    telling.look_in_vain(PLANNED[:7])
    telling.snapshot_without(41)

    telling.tell(BecameUnknown(ORDER, at(42)))

    assert telling.outcomes.next_due is None


def test_looks_that_were_late_are_not_made_up_for_in_a_bunch_i19() -> None:
    telling, looked = Telling(), []
    for s in (12.0, 12.5, 13.0, 13.5, 14.0, 14.9, 15.0, 18.9, 19.0):
        if telling.tick(s):
            looked.append(s)
            telling.not_found(s)

    assert looked == [12.0, 13.0, 15.0, 19.0]


def test_no_look_begins_while_another_is_out_i19() -> None:
    telling = Telling()
    telling.tick(1)

    assert [*telling.tick(2), *telling.tick(16)] == []
    assert telling.next_due_s == 31

    telling.not_found(16)
    assert telling.next_due_s == 2
    assert telling.tick(16.1) == (LookUp(ORDER),)


def test_an_answer_that_never_comes_does_not_end_the_search_i19() -> None:
    telling = Telling()
    telling.tick(1)

    assert telling.tick(1 + LOOK_PATIENCE_NS / SECOND - 0.001) == ()
    assert telling.tick(1 + LOOK_PATIENCE_NS / SECOND) == (LookUp(ORDER),)


def test_an_answer_to_a_look_that_was_answered_already_counts_for_nothing_i19() -> None:
    telling = Telling()
    for s in (1, 20, 59):
        telling.tick(s)
        telling.not_found(s)
    before = telling.outcomes

    assert telling.not_found(59.5) == ()
    assert telling.outcomes == before


@pytest.mark.parametrize(
    "event",
    [
        Found(OTHER),
        Resolved(OTHER),
        NotFound(OTHER, at(90)),
        LookFailed(OTHER, at(90)),
        SnapshotWithout(OTHER, at(90), at(90)),
    ],
)
def test_events_of_orders_that_are_not_looked_for_change_nothing_i19(event: Event) -> None:
    telling = Telling()
    before = telling.outcomes

    assert (telling.tell(event), telling.outcomes) == ((), before)


def test_nothing_that_is_told_sends_an_order_i17() -> None:
    assert set(get_args(Effect)) == {LookUp, TakeSnapshot, GiveUpAsAbsent, Escalate, Revived}


def names(event: Event) -> str | None:
    return None if isinstance(event, Tick) else event.client_order_id


NAMES = st.sampled_from([ORDER, OTHER, "a-third"])
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 20),
        st.one_of(
            st.just(Tick),
            st.tuples(st.just(BecameUnknown), NAMES),
            st.tuples(st.sampled_from([NotFound, NotFound, NotFound, LookFailed]), NAMES),
            st.tuples(st.just(SnapshotWithout), NAMES),
            st.tuples(st.sampled_from([Found, Resolved]), NAMES),
        ),
    ),
    max_size=60,
)


def timed(drawn: list[tuple[int, object]]) -> list[Event]:
    now, events = START, list[Event]()
    for gap_s, kind in drawn:
        now += gap_s * SECOND
        match kind:
            case (type() as event, str(name)) if event is SnapshotWithout:
                events.append(SnapshotWithout(name, now, now))
            case (type() as event, str(name)) if event in (Found, Resolved):
                events.append(event(name))
            case (type() as event, str(name)):
                events.append(event(name, now))
            case _:
                events.append(Tick(now))
    return events


@given(EVENTS)
def test_several_orders_are_looked_for_as_if_each_were_alone_i19(
    drawn: list[tuple[int, object]],
) -> None:
    together = UnknownOutcomes(limit_ns=60 * SECOND)
    told: list[Effect] = []
    for event in timed(drawn):
        together, effects = after(together, event)
        told += effects

    for name in (ORDER, OTHER, "a-third"):
        alone = UnknownOutcomes(limit_ns=60 * SECOND)
        told_alone: list[Effect] = []
        for event in timed(drawn):
            if names(event) in (None, name):
                alone, effects = after(alone, event)
                told_alone += effects
        assert told_alone == [effect for effect in told if effect.client_order_id == name]
        assert alone.searches.get(name) == together.searches.get(name)


@given(EVENTS)
def test_a_tick_when_it_is_wanted_always_brings_something_i19(
    drawn: list[tuple[int, object]],
) -> None:
    outcomes = UnknownOutcomes(limit_ns=60 * SECOND)
    for event in timed(drawn):
        outcomes, _ = after(outcomes, event)
        if outcomes.next_due is not None:
            assert after(outcomes, Tick(outcomes.next_due - 1))[1] == ()
            assert after(outcomes, Tick(outcomes.next_due))[1] != ()
