"""The watch over the calendar: which days it closes, what it tells, how often it asks."""

from collections.abc import Iterator, Mapping

import pytest

from hydra.ops.calendar_watch import READ_AGAIN_AFTER_S, CalendarWatch
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.causes import CALENDAR_PARTED
from hydra.trading.durations import DAY, HOUR
from hydra.trading.trading_state import TradingState
from hydra.venues.alpaca.calendar import CalendarSeen, PartedDay
from hydra.venues.alpaca.reads import ReadFailed

ACTIVE, CLOSE_ONLY = TradingState.ACTIVE, TradingState.CLOSE_ONLY
THANKSGIVING_EVE = 1_795_615_200_000_000_000
"""2026-11-25, 09:00 in New York."""
HALF_DAY = PartedDay(date="2026-11-27", theirs="09:30–13:00", ours="09:30–16:00")
FINE = CalendarSeen(first="2026-11-25", last="2026-12-02", parted=(), coming="today")
PARTED = CalendarSeen(first="2026-11-25", last="2026-12-02", parted=(HALF_DAY,), coming="today")


class Listening(ThreadRuntime):
    """Keeps what is written to the journal. Its market has the time that it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []
        self.at = THANKSGIVING_EVE

    def market_time_at(self, _moment: int) -> int:
        return self.at

    def log(
        self, event: str, source: str, fields: Mapping[str, object], envelope_for: object = None
    ) -> None:
        del source, envelope_for
        self.written.append(f"{event} {fields['detail']}")


class Watched:
    """A watch, what the broker answers (None: nothing), and what came of it."""

    def __init__(self, runtime: Listening) -> None:
        self.runtime = runtime
        self.answer: CalendarSeen | None = FINE
        self.asked = 0
        self.now = 0.0
        self.said: list[str] = []
        self.watch = CalendarWatch(
            runtime, self._read, self.said.append, monotonic=lambda: self.now
        )

    def _read(self) -> CalendarSeen:
        self.asked += 1
        if self.answer is None:
            raise ReadFailed("GET /v2/calendar: no answer")
        return self.answer

    def look(self, answer: CalendarSeen | None, at: int = THANKSGIVING_EVE) -> TradingState:
        """What the gate is at after another look; nobody clears what stands."""
        self.answer, self.runtime.at = answer, at
        self.watch.look_once()
        return self.runtime.gate.state

    def cleared(self) -> None:
        """What a pass does where the condition is gone."""
        assert self.watch.present == frozenset()
        self.runtime.gate.arm((), "a pass", self.runtime.gate.epoch)


@pytest.fixture
def watched() -> Iterator[Watched]:
    runtime = Listening()
    runtime.gate.arm((), "a test", runtime.gate.epoch)
    yield Watched(runtime)
    runtime.close()


def test_where_both_keep_the_week_alike_nothing_is_closed_and_nothing_said(
    watched: Watched,
) -> None:
    assert watched.look(FINE) is ACTIVE
    assert (watched.said, watched.runtime.written) == ([], [])


def test_a_day_that_the_broker_keeps_otherwise_is_told_before_and_closed_when_it_comes_i43(
    watched: Watched,
) -> None:
    days = [watched.look(PARTED, THANKSGIVING_EVE + days * DAY) for days in (0, 1, 2)]
    (cause,) = watched.runtime.gate.standing()

    assert days == [ACTIVE, ACTIVE, CLOSE_ONLY]
    words = "2026-11-27: the venue's is 09:30–13:00, ours 09:30–16:00"
    assert (cause.code, cause.state, cause.detail) == (CALENDAR_PARTED.code, CLOSE_ONLY, words)
    assert watched.watch.present == {CALENDAR_PARTED.code}
    assert watched.runtime.written == [f"calendar_parted {words}"]
    assert watched.said == [
        f"ALARM: {words}; nothing is entered on that day: be flat before it begins"
    ]

    watched.look(PARTED, THANKSGIVING_EVE + 3 * DAY)

    watched.cleared()


def test_as_long_as_the_broker_has_not_told_how_it_keeps_the_day_nothing_is_entered_i43(
    watched: Watched,
) -> None:
    before = watched.look(None)
    (cause,) = watched.runtime.gate.standing()
    still = watched.watch.present
    watched.look(FINE)

    assert before is CLOSE_ONLY
    assert still == {CALENDAR_PARTED.code}
    assert cause.detail == (
        "how the venue keeps 2026-11-25 is not known: GET /v2/calendar: no answer"
    )
    watched.cleared()


def test_what_was_read_holds_for_its_days_while_the_broker_is_silent_and_no_longer_i43(
    watched: Watched,
) -> None:
    watched.look(FINE)
    watched.now = READ_AGAIN_AFTER_S

    assert watched.look(None, THANKSGIVING_EVE + 7 * DAY) is ACTIVE
    assert watched.look(None, THANKSGIVING_EVE + 8 * DAY) is CLOSE_ONLY


def test_new_york_says_when_a_day_begins(watched: Watched) -> None:
    midnight = THANKSGIVING_EVE + 39 * HOUR

    assert watched.look(PARTED, midnight - 1) is ACTIVE
    assert watched.look(PARTED, midnight) is CLOSE_ONLY


def test_it_asks_once_an_hour_and_at_each_look_while_there_is_no_answer(watched: Watched) -> None:
    asked = []
    for answer, now in ((None, 0.0), (None, 30.0), (FINE, 60.0), (FINE, 90.0)):
        watched.now = now
        watched.look(answer)
        asked.append(watched.asked)
    watched.now = 60.0 + READ_AGAIN_AFTER_S
    watched.look(PARTED)

    assert (asked, watched.asked) == ([1, 2, 3, 3], 4)
    assert len(watched.said) == 1


def test_what_somebody_cleared_on_such_a_day_is_closed_again_i05(watched: Watched) -> None:
    watched.look(None)
    gate = watched.runtime.gate
    gate.arm((), "somebody", gate.epoch)

    assert watched.look(None) is CLOSE_ONLY


def test_a_watch_that_dies_closes_until_the_next_start(watched: Watched) -> None:
    def broken() -> CalendarSeen:
        raise ValueError("no date")

    watch = CalendarWatch(watched.runtime, broken, watched.said.append)
    with pytest.raises(ValueError, match="no date"):
        watch.keep_looking()

    (cause,) = watched.runtime.gate.standing()
    assert cause.detail == "the watch over the calendar died: ValueError: no date"
    assert watch.present == {CALENDAR_PARTED.code}
