"""The market's events in order."""

from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hydra.actor import MINUTE
from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.playback import (
    BarBegun,
    BarsBegun,
    MarketEnded,
    SessionClosed,
    by_moment,
    market_events,
    market_moments,
    market_time_after,
)

OPEN_AT = 1_460_727_000_000_000_000
DAY = 24 * 60 * MINUTE
FIRST = ExchangeSession("2016-04-15", OPEN_AT, OPEN_AT + 390 * MINUTE, False)
SECOND = ExchangeSession("2016-04-18", OPEN_AT + 3 * DAY, OPEN_AT + 3 * DAY + 390 * MINUTE, False)
SESSIONS = SessionTable((FIRST, SECOND))


def bar_at(start_at: int) -> Bar:
    return Bar("AAPL", start_at, start_at + MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0)


def test_a_session_closes_between_its_last_bar_and_the_next_day() -> None:
    one, other = bar_at(OPEN_AT), bar_at(SECOND.open_at)

    events = list(market_events([one, other], SESSIONS))

    assert events == [
        (one.start_at, BarBegun(one.start_at, one)),
        (one.end_at, one),
        (FIRST.close_at, SessionClosed(FIRST.close_at)),
        (other.start_at, BarBegun(other.start_at, other)),
        (other.end_at, other),
        (SECOND.close_at, SessionClosed(SECOND.close_at)),
        (SECOND.close_at, MarketEnded(SECOND.close_at)),
    ]


def test_bars_outside_any_session_close_none() -> None:
    early = bar_at(OPEN_AT - 60 * MINUTE)

    assert list(market_events([early], SESSIONS)) == [
        (early.start_at, BarBegun(early.start_at, early)),
        (early.end_at, early),
        (early.end_at, MarketEnded(early.end_at)),
    ]


def test_bars_that_end_together_are_one_happening_and_all_else_is_one_of_its_own() -> None:
    first, second = bar_at(OPEN_AT), bar_at(OPEN_AT + MINUTE)
    other, last = replace(first, symbol="SPY"), bar_at(FIRST.close_at - MINUTE)

    told = list(by_moment(market_events([first, other, second, last], SESSIONS)))

    assert told == [
        (first.start_at, BarsBegun((first, other))),
        (first.end_at, (first, other)),
        (second.start_at, BarsBegun((second,))),
        (second.end_at, (second,)),
        (last.start_at, BarsBegun((last,))),
        (FIRST.close_at, (last,)),
        (FIRST.close_at, SessionClosed(FIRST.close_at)),
        (FIRST.close_at, MarketEnded(FIRST.close_at)),
    ]
    assert list(by_moment([(0, first), (0, other)])) == [(0, (first, other))]
    begun = [(0, BarBegun(0, first)), (1, BarBegun(1, other))]
    assert list(by_moment(begun)) == [(0, BarsBegun((first,))), (1, BarsBegun((other,)))]
    assert list(by_moment([])) == []


def test_of_bars_of_several_lengths_each_begins_in_its_turn_and_time_never_goes_back() -> None:
    long = Bar("SPY", OPEN_AT, OPEN_AT + 2 * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0)
    first, second, third = (bar_at(OPEN_AT + minute * MINUTE) for minute in range(3))

    events = list(market_events([first, second, long, third], SESSIONS))

    assert [event for _, event in events[:-2]] == [
        BarBegun(OPEN_AT, first),
        BarBegun(OPEN_AT, long),
        first,
        BarBegun(second.start_at, second),
        second,
        long,
        BarBegun(third.start_at, third),
        third,
    ]
    assert [at for at, _ in events] == sorted(at for at, _ in events)


BARS = st.builds(
    lambda symbol, minute, length, day: Bar(
        symbol, at := day + minute * MINUTE, at + length * MINUTE, 1.0, 1.0, 1.0, 1.0, 1.0
    ),
    st.sampled_from(["AAPL", "SPY", "QQQ"]),
    st.integers(-2, 6) | st.integers(385, 392),
    st.sampled_from([1, 1, 2, 5]),
    st.sampled_from([FIRST.open_at, SECOND.open_at]),
)


@given(st.lists(BARS, max_size=25))
def test_the_moments_are_the_events_with_those_of_one_time_in_one(bars: list[Bar]) -> None:
    bars.sort(key=attrgetter("end_at"))
    closes = [
        each
        for each in (FIRST, SECOND)
        if any(each.open_at <= b.start_at < each.close_at for b in bars)
    ]

    events = list(market_events(bars, SESSIONS))

    assert list(market_moments(bars, SESSIONS)) == list(by_moment(events))
    assert [event for _, event in events if isinstance(event, Bar)] == bars
    begun = [event.bar for _, event in events if isinstance(event, BarBegun)]
    assert begun == sorted(bars, key=attrgetter("start_at"))
    assert [event for _, event in events if isinstance(event, SessionClosed)] == [
        SessionClosed(each.close_at) for each in closes
    ]
    ranks = [(at, _RANKS[type(event)]) for at, event in events]
    assert ranks == sorted(ranks)


_RANKS = {Bar: 0, SessionClosed: 1, BarBegun: 2, MarketEnded: 3}


def test_what_a_venue_has_seen_before_is_not_played_again_and_the_end_always_is() -> None:
    bars = [bar_at(OPEN_AT), bar_at(SECOND.open_at)]
    events = list(market_events(bars, SESSIONS))

    for seen in range(len(events)):
        assert list(market_events(bars, SESSIONS, skip=seen)) == events[seen:]


MORNING = [bar_at(OPEN_AT + minute * MINUTE) for minute in range(3)]
FIRST_END, SECOND_END = OPEN_AT + MINUTE, SECOND.open_at + MINUTE


@pytest.mark.parametrize(
    ("since", "elapsed", "now"),
    [
        (OPEN_AT, 0, OPEN_AT),
        (OPEN_AT, -1, OPEN_AT),
        (OPEN_AT, MINUTE // 2, OPEN_AT + MINUTE // 2),
        (OPEN_AT, 3 * MINUTE, OPEN_AT + 3 * MINUTE),
        # The rest of the day has no bars: a minute before the close is where it goes on.
        (OPEN_AT, 3 * MINUTE + 1, FIRST.close_at - MINUTE + 1),
        (OPEN_AT + 2 * MINUTE, 2 * MINUTE, FIRST.close_at),
        # Nor is the night waited for.
        (OPEN_AT + 2 * MINUTE, 2 * MINUTE + 1, SECOND.open_at - MINUTE + 1),
        (FIRST.close_at, 0, FIRST.close_at),
        (FIRST.close_at, 1, SECOND.open_at - MINUTE + 1),
        (FIRST.close_at + DAY, 1, SECOND.open_at - MINUTE + 1),
        (SECOND_END - MINUTE // 2, 1, SECOND_END - MINUTE // 2 + 1),
        # And at the end it stops.
        (SECOND_END, 10 * DAY, SECOND.close_at),
        (SECOND.close_at + 5, 10 * DAY, SECOND.close_at + 5),
    ],
)
def test_market_time_runs_on_as_the_playback_would(since: int, elapsed: int, now: int) -> None:
    events = market_events([*MORNING, bar_at(SECOND.open_at)], SESSIONS)

    assert market_time_after(events, since, elapsed) == now


def test_where_all_is_to_end_before_the_last_session_closes_it_does_not_close() -> None:
    one, other = bar_at(OPEN_AT), bar_at(SECOND.open_at)

    ends = {
        ends_at: [event for _, event in market_events([one, other], SESSIONS, ends_at=ends_at)][-2:]
        for ends_at in (SECOND.close_at, SECOND.close_at - 1)
    }

    assert ends[SECOND.close_at] == [SessionClosed(SECOND.close_at), MarketEnded(SECOND.close_at)]
    assert ends[SECOND.close_at - 1] == [other, MarketEnded(other.end_at)]
