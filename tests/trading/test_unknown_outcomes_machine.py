"""The search beside a venue that hides what it accepted, loses answers and proves at odd times."""

import heapq
from collections.abc import Callable

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hydra.trading.durations import SECOND
from hydra.trading.unknown_outcomes import (
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

LIMIT_S = 60
PLANNED_S = (1, 2, 4, 8, 15, 30)
NEVER = 1_000_000 * SECOND


def looks_planned(elapsed_ns: int) -> int:
    """How many looks are planned within so long: 6 up to 30 s, then one every 10 s."""
    first = sum(1 for planned in PLANNED_S if planned * SECOND <= elapsed_ns)
    return first + max(0, (elapsed_ns - 30 * SECOND) // (10 * SECOND))


class Story:
    """What is true of one order at the venue, and what was done about it here."""

    def __init__(self, name: str, since: int, *, landed: bool, hidden_until: int) -> None:
        self.name = name
        self.since = since
        self.landed = landed
        self.hidden_until = hidden_until
        self.looks: list[int] = []
        """When they began."""
        self.missing: list[tuple[int, int]] = []
        """When the looks that found nothing began, and when they were answered."""
        self.lacking: list[int] = []
        """When the snapshots that lacked it were asked for."""
        self.proven = False
        self.given_up_at: int | None = None
        self.escalated_at: int | None = None
        self.revivals = 0

    def is_visible(self, at: int) -> bool:
        return self.landed and at >= self.hidden_until

    @property
    def is_over(self) -> bool:
        return self.proven or self.given_up_at is not None


class SearchesBesideAVenue(RuleBasedStateMachine):
    """Time runs from one thing that happens to the next; ticks come when they are wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.outcomes = UnknownOutcomes(limit_ns=LIMIT_S * SECOND)
        self.stories: dict[str, Story] = {}
        self.agenda: list[tuple[int, int, Callable[[], None]]] = []
        self.booked = 0
        self.answers = "quick"
        self.answer_ns = 0
        self.tick_late_ns = 0
        self.snapshot_out = False

    def book(self, at: int, what: Callable[[], None]) -> None:
        self.booked += 1
        heapq.heappush(self.agenda, (at, self.booked, what))

    def tell(self, event: Event) -> None:
        self.outcomes, effects = after(self.outcomes, event)
        for effect in effects:
            self.act(effect)

    def act(self, effect: Effect) -> None:
        story = self.stories[effect.client_order_id]
        match effect:
            case LookUp():
                self.look(story)
            case TakeSnapshot():
                assert not story.is_over
                self.take_snapshot()
            case GiveUpAsAbsent():
                self.give_up(story)
            case Escalate():
                assert not story.is_over
                assert story.escalated_at is None
                assert self.now >= story.since + LIMIT_S * SECOND
                story.escalated_at = self.now
            case Revived():
                assert story.given_up_at is not None
                assert story.landed
                story.revivals += 1

    def look(self, story: Story) -> None:
        assert not story.is_over
        assert self.now - story.looks[-1] >= SECOND if story.looks else True
        story.looks.append(self.now)
        assert len(story.looks) <= looks_planned(self.now - story.since)
        begun, is_there, answers = self.now, story.is_visible(self.now), self.answers

        def answer() -> None:
            if answers == "fail":
                self.tell(LookFailed(story.name, self.now))
            elif is_there:
                story.proven = True
                self.tell(Found(story.name))
            else:
                if not story.is_over:
                    story.missing.append((begun, self.now))
                self.tell(NotFound(story.name, self.now))

        if answers != "are lost":
            self.book(self.now + self.answer_ns, answer)

    def give_up(self, story: Story) -> None:
        assert not story.is_over
        assert self.now - story.since >= 30 * SECOND
        begun = [at for at, _ in story.missing]
        enough = [
            answered
            for at, answered in story.missing
            if at - begun[0] >= 30 * SECOND and begun.index(at) >= 3
        ]
        assert enough
        assert story.lacking[-1] >= enough[0]
        assert not story.is_visible(story.lacking[-1])
        story.given_up_at = self.now

    @precondition(lambda self: len(self.outcomes.unresolved) < 9)
    @rule(
        landed=st.booleans(),
        hidden_s=st.one_of(st.just(0), st.integers(0, 120)),
        proof_s=st.one_of(st.none(), st.integers(0, 150)),
    )
    def lose_an_answer(self, landed: bool, hidden_s: int, proof_s: int | None) -> None:
        name = f"order-{len(self.stories):03}"
        story = Story(name, self.now, landed=landed, hidden_until=self.now + hidden_s * SECOND)
        self.stories[name] = story
        self.tell(BecameUnknown(name, self.now))
        if landed and proof_s is not None:
            self.book(self.now + proof_s * SECOND, lambda: self.prove(story))

    def prove(self, story: Story) -> None:
        story.proven = True
        self.tell(Resolved(story.name))

    @precondition(lambda self: self.stories)
    @rule(number=st.integers(0, 1_000))
    def an_old_order_is_said_to_be_unknown_again(self, number: int) -> None:
        unresolved = self.outcomes.unresolved
        if unresolved:
            self.tell(BecameUnknown(unresolved[number % len(unresolved)], self.now))

    @rule(
        answers=st.sampled_from(["come", "come", "come", "fail", "are lost"]),
        answer_ns=st.sampled_from([0, SECOND // 5, 3 * SECOND, 15 * SECOND]),
        tick_late_ns=st.sampled_from([0, 0, SECOND // 100, 3 * SECOND]),
    )
    def the_weather_changes(self, answers: str, answer_ns: int, tick_late_ns: int) -> None:
        self.answers, self.answer_ns, self.tick_late_ns = answers, answer_ns, tick_late_ns

    @rule()
    def take_snapshot(self) -> None:
        """One at a time, as the gateway does."""
        if self.snapshot_out:
            return
        asked, answers = self.now, self.answers
        has = {story.name for story in self.stories.values() if story.is_visible(asked)}
        asked_of = set(self.outcomes.searches)
        self.snapshot_out = True

        def answer() -> None:
            self.snapshot_out = False
            if answers == "come":
                for name in sorted(asked_of):
                    self.tell_of_snapshot(self.stories[name], asked, name in has)

        self.book(self.now + self.answer_ns, answer)

    def tell_of_snapshot(self, story: Story, asked: int, is_there: bool) -> None:
        if is_there:
            self.prove(story)
            return
        story.lacking.append(asked)
        self.tell(SnapshotWithout(story.name, asked, self.now))

    @rule(tenths=st.integers(1, 300))
    def time_passes(self, tenths: int) -> None:
        until = self.now + tenths * SECOND // 10
        while (at := self.next_event()) <= until:
            self.now = max(at, self.now)
            if self.agenda and self.agenda[0][0] <= self.now:
                heapq.heappop(self.agenda)[2]()
            else:
                self.tell(Tick(self.now))
        self.now = until

    def next_event(self) -> int:
        due = self.outcomes.next_due
        tick = NEVER if due is None else due + self.tick_late_ns
        return min(tick, self.agenda[0][0]) if self.agenda else tick

    @invariant()
    def what_is_over_is_not_looked_for_and_all_else_is(self) -> None:
        looked_for = {name for name, story in self.stories.items() if not story.is_over}
        assert set(self.outcomes.unresolved) == looked_for

    @invariant()
    def nothing_is_unknown_past_the_limit_untold(self) -> None:
        latest = self.now - LIMIT_S * SECOND - 3 * SECOND
        for story in self.stories.values():
            assert story.is_over or story.escalated_at is not None or story.since >= latest

    @invariant()
    def what_was_given_up_and_then_proven_was_told_once(self) -> None:
        for story in self.stories.values():
            assert story.revivals == (story.given_up_at is not None and story.proven)

    def teardown(self) -> None:
        """Once the venue answers, all is known: what landed is found, the rest is given up."""
        self.answers, self.answer_ns, self.tick_late_ns = "come", 0, 0
        self.time_passes(3_000)
        self.take_snapshot()
        self.time_passes(1)
        assert self.outcomes.unresolved == ()
        for story in self.stories.values():
            assert story.proven == story.landed
            assert story.landed or story.given_up_at is not None
        self.what_was_given_up_and_then_proven_was_told_once()


def test_no_order_that_shows_itself_is_given_up_and_none_is_forgotten_i17_i19() -> None:
    run_state_machine_as_test(
        SearchesBesideAVenue,
        settings=settings(
            max_examples=30,
            stateful_step_count=200,
            deadline=None,
            # To make two hundred steps fewer takes longer than a test may.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )
