"""When somebody is told, and when not again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.alerts.conditions import ENGINE, Condition, Severity
from hydra.ops.alerts.incidents import (
    FIRST_REMINDER,
    REMINDER_MAX,
    Incident,
    Kind,
    Notice,
    after,
    unknown_since,
)
from hydra.trading.durations import HOUR, MINUTE, SECOND
from tests.ops.alerts.looks import AT

LOOK = 2 * SECOND


def condition(
    key: str = "cause drawdown",
    severity: Severity = Severity.WARNING,
    *,
    patience_s: float = 0.0,
    settled_s: float = 60.0,
    is_moment: bool = False,
    is_our_own: bool = False,
    is_said_by_a_cause: bool = False,
) -> Condition:
    return Condition(
        key=key,
        severity=severity,
        title=key,
        text=f"{key} is so",
        patience_s=patience_s,
        settled_s=settled_s,
        is_moment=is_moment,
        is_our_own=is_our_own,
        is_said_by_a_cause=is_said_by_a_cause,
    )


class Story:
    """Looks one after the other, and what was told at each."""

    def __init__(self) -> None:
        self.at = AT
        self.incidents: Mapping[str, Incident] = {}
        self.told: list[tuple[int, Kind, str]] = []
        """Seconds since the beginning, what, and of what."""
        self.notices: list[Notice] = []

    def look(self, *conditions: Condition, after_ns: int = LOOK) -> None:
        self.at += after_ns
        outcome = after(self.incidents, conditions, self.at)
        self.incidents = outcome.incidents
        self.notices += outcome.notices
        self.told += [
            ((self.at - AT) // SECOND, each.kind, each.incident.key) for each in outcome.notices
        ]

    def looks(self, conditions: Iterable[Condition], for_ns: int) -> None:
        there, until = tuple(conditions), self.at + for_ns
        while self.at < until:
            self.look(*there)


HALT = "cause drawdown"


def test_what_comes_up_is_told_at_once_and_that_it_is_over_a_minute_later_i89() -> None:
    story = Story()
    story.looks([condition()], 10 * SECOND)
    story.looks([], 2 * MINUTE)

    assert story.told == [(2, Kind.NEW, HALT), (70, Kind.OVER, HALT)]
    assert story.incidents == {}


def test_what_may_pass_by_itself_is_told_when_it_has_not() -> None:
    story = Story()
    story.looks([condition(patience_s=15.0)], 10 * SECOND)
    story.looks([], 2 * MINUTE)
    assert (story.told, story.incidents) == ([], {})

    story.looks([condition(patience_s=15.0)], MINUTE)
    assert story.told == [(148, Kind.NEW, HALT)]  # 132 s and 15 s, at the next look


def test_what_flaps_is_one_alert_with_how_often_it_came_up() -> None:
    story = Story()
    for _ in range(100):
        story.looks([condition(patience_s=15.0)], 10 * SECOND)
        story.looks([], 10 * SECOND)
    story.looks([], 2 * MINUTE)

    assert [kind for _, kind, _ in story.told] == [Kind.NEW, Kind.OVER]
    assert story.notices[-1].incident.came_up == 100


def test_what_stands_is_told_again_after_an_hour_and_then_later_each_time() -> None:
    story = Story()
    while story.at < AT + 60 * HOUR:
        story.look(condition(), after_ns=MINUTE)

    hours = [round(seconds / 3600) for seconds, _, _ in story.told]
    assert hours == [0, 1, 3, 7, 15, 27, 39, 51]
    assert {kind for _, kind, _ in story.told[1:]} == {Kind.STILL}
    assert (FIRST_REMINDER, REMINDER_MAX) == (HOUR, 12 * HOUR)


def test_what_gets_worse_is_told_at_once_and_once() -> None:
    story = Story()
    story.look(condition())
    story.look(condition(severity=Severity.CRITICAL))
    story.look(condition())
    story.look(condition(severity=Severity.CRITICAL))

    assert story.told == [(2, Kind.NEW, HALT), (4, Kind.WORSE, HALT)]


def test_a_moment_is_told_once_counted_and_summed_up_when_it_has_settled() -> None:
    story = Story()
    for _ in range(5):
        story.look(condition(is_moment=True, settled_s=900.0))
        story.looks([], MINUTE)
    story.looks([], 20 * MINUTE)

    assert [kind for _, kind, _ in story.told] == [Kind.NEW, Kind.AGAIN]
    assert story.notices[-1].incident.came_up == 5


def test_a_moment_that_came_once_is_over_without_a_word() -> None:
    story = Story()
    story.look(condition(is_moment=True))
    story.looks([], 5 * MINUTE)

    assert (len(story.told), story.incidents) == (1, {})


def test_while_no_engine_answers_nothing_of_it_is_over() -> None:
    story = Story()
    own, engine = condition("channel x", is_our_own=True), condition(ENGINE, settled_s=0.0)
    story.look(condition(), own)
    story.looks([engine], 10 * MINUTE)
    assert [(kind, key) for _, kind, key in story.told] == [
        (Kind.NEW, HALT),
        (Kind.NEW, "channel x"),
        (Kind.NEW, ENGINE),
        (Kind.OVER, "channel x"),
    ]

    story.look(condition())
    assert story.told[4:] == [(604, Kind.OVER, ENGINE)]
    story.looks([], 2 * MINUTE)
    assert [(kind, key) for _, kind, key in story.told[5:]] == [(Kind.OVER, HALT)]


def test_an_engine_that_is_back_has_a_minute_to_find_what_was_wrong_before_that_is_over() -> None:
    story = Story()
    story.look(condition())
    story.looks([condition(ENGINE, settled_s=0.0)], 10 * MINUTE)
    story.looks([], 50 * SECOND)
    story.looks([condition()], 10 * SECOND)
    assert [(kind, key) for _, kind, key in story.told] == [
        (Kind.NEW, HALT),
        (Kind.NEW, ENGINE),
        (Kind.OVER, ENGINE),
    ]

    story.looks([condition(ENGINE, settled_s=0.0)], 10 * MINUTE)
    story.looks([], 2 * MINUTE)
    assert [(kind, key) for _, kind, key in story.told[3:]] == [
        (Kind.NEW, ENGINE),
        (Kind.OVER, ENGINE),
        (Kind.OVER, HALT),
    ]
    assert story.told[-1][0] - story.told[-2][0] >= 58


def test_a_watch_that_was_away_has_to_see_for_itself_that_something_is_over() -> None:
    story = Story()
    story.look(condition())
    story.at += HOUR
    story.incidents = unknown_since(story.incidents, story.at)
    story.looks([], 50 * SECOND)
    assert [kind for _, kind, _ in story.told] == [Kind.NEW]

    story.looks([], 20 * SECOND)
    assert [kind for _, kind, _ in story.told] == [Kind.NEW, Kind.OVER]


def test_a_moment_that_comes_again_and_again_is_told_again_as_what_stands_is() -> None:
    story = Story()
    for _ in range(12 * 8):
        story.look(condition(is_moment=True, settled_s=900.0))
        story.looks([], 5 * MINUTE - LOOK)
    story.looks([], 30 * MINUTE)

    assert [(round(seconds / 3600), kind) for seconds, kind, _ in story.told] == [
        (0, Kind.NEW),
        (1, Kind.AGAIN),
        (3, Kind.AGAIN),
        (7, Kind.AGAIN),
        (8, Kind.AGAIN),
    ]


def test_what_a_cause_says_is_neither_told_besides_nor_over_while_it_is_so() -> None:
    story = Story()
    story.look(condition())
    story.looks([condition(is_said_by_a_cause=True)], 2 * HOUR)
    story.looks([condition("check feed", is_said_by_a_cause=True)], 2 * HOUR)

    assert [(kind, key) for _, kind, key in story.told] == [(Kind.NEW, HALT), (Kind.OVER, HALT)]


def test_a_clock_that_is_set_back_tells_sooner_and_never_later() -> None:
    story = Story()
    story.look(condition(patience_s=60.0))
    story.look(condition(patience_s=60.0), after_ns=-HOUR)

    assert [kind for _, kind, _ in story.told] == [Kind.NEW]


KEYS = st.sampled_from(["a", "b", ENGINE])
LOOKS = st.lists(
    st.tuples(
        st.integers(1, 40),
        st.sets(KEYS),
        st.sampled_from(list(Severity)),
    ),
    max_size=60,
)


@given(LOOKS)
def test_each_incident_is_new_once_before_it_is_over_whatever_happens(
    looks: list[tuple[int, set[str], Severity]],
) -> None:
    story = Story()
    for seconds, keys, severity in looks:
        conditions = (condition(key, severity, patience_s=5.0) for key in sorted(keys))
        story.look(*conditions, after_ns=seconds * SECOND)

    for key in ("a", "b", ENGINE):
        is_told = False
        for _, kind, of in story.told:
            if of != key:
                continue
            assert is_told is not (kind is Kind.NEW)
            is_told = kind is not Kind.OVER
        incident = story.incidents.get(key)
        assert is_told is (incident is not None and incident.told_at is not None)


@given(LOOKS, st.integers(0, 30))
def test_what_stands_for_longer_than_its_patience_is_told_whatever_was_before(
    looks: list[tuple[int, set[str], Severity]], patience_s: int
) -> None:
    story = Story()
    for seconds, keys, severity in looks:
        conditions = (condition(key, severity, patience_s=patience_s) for key in sorted(keys))
        story.look(*conditions, after_ns=seconds * SECOND)
    story.looks([condition("a", patience_s=patience_s)], (patience_s + 2) * SECOND)

    assert story.incidents["a"].told_at is not None
