"""What is asked for to fill a gap, or to begin with, and that it is bounded."""

from collections.abc import Iterable, Mapping

import pytest

from hydra.testkit.builders import bar
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY
from hydra.venues.alpaca.bar_history import (
    TooMuchMissing,
    missed_bars,
    newest_bars,
)
from hydra.venues.alpaca.market_rest import ONE_MINUTE, Timeframe

MINUTE = ONE_MINUTE.span
NOW = 1_000_000 * MINUTE


class Market:
    """Has a bar of each symbol in every one of these minutes, by how long ago they were."""

    def __init__(self, minutes_ago: Iterable[int]) -> None:
        self._starts = sorted(NOW - ago * MINUTE for ago in minutes_ago)
        self.asked: list[tuple[tuple[str, ...], int, int]] = []

    def read(
        self, symbols: Iterable[str], timeframe: Timeframe, start: int, end: int, deadline: float
    ) -> Mapping[str, tuple[Bar, ...]]:
        assert timeframe is ONE_MINUTE
        names = tuple(symbols)
        self.asked.append((names, (NOW - start) // MINUTE, (NOW - end) // MINUTE))
        starts = [at for at in self._starts if start <= at <= end]
        return {
            name: tuple(bar(1.0, symbol=name, start_at=at) for at in starts)
            for name in names
            if starts
        }


def minutes_ago(bars: Iterable[Bar]) -> list[int]:
    return [(NOW - each.start_at) // MINUTE for each in bars]


def test_what_was_missed_is_fetched_for_all_symbols_at_once_from_where_each_ended_i47() -> None:
    market = Market(range(1, 100))
    ended = {"AAPL": NOW - 3 * MINUTE, "NOVA": NOW - 5 * MINUTE}

    found = missed_bars(market.read, ended, NOW, 10, 5.0)

    assert market.asked == [(("AAPL", "NOVA"), 5, 0)]
    assert {symbol: minutes_ago(bars) for symbol, bars in found.items()} == {  # type: ignore[arg-type]
        "AAPL": [3, 2, 1],
        "NOVA": [5, 4, 3, 2, 1],
    }


def test_a_symbol_without_bars_has_missed_none() -> None:
    assert missed_bars(Market([]).read, {"AAPL": NOW - MINUTE}, NOW, 10, 5.0) == {"AAPL": ()}


def test_too_much_is_said_and_not_fetched_i47() -> None:
    market = Market(range(1, 100))
    ended = {"AAPL": NOW - 11 * MINUTE, "NOVA": NOW - 15 * DAY}

    found = missed_bars(market.read, ended, NOW, 10, 5.0)

    assert market.asked == [(("AAPL",), 11, 0)]
    assert {symbol: str(what) for symbol, what in found.items()} == {
        "AAPL": "AAPL: 11 bars are missing, which is more than is fetched; start the engine again",
        "NOVA": "NOVA: bars of 15 days are missing, which is more than is fetched; start the"
        " engine again",
    }
    assert all(isinstance(what, TooMuchMissing) for what in found.values())


def test_history_looks_back_further_and_further_until_there_is_enough() -> None:
    market = Market(range(1_000, 2_000))

    found = newest_bars(market.read, ["AAPL"], NOW, 50, 5.0)

    assert minutes_ago(found["AAPL"]) == list(range(1_049, 999, -1))
    reaches = [(begun, ended) for _, begun, ended in market.asked]
    assert reaches == [(50, 0), (200, 50), (800, 200), (3_200, 800)]


@pytest.mark.parametrize("there_are", [0, 3])
def test_history_ends_after_two_weeks_whatever_was_found(there_are: int) -> None:
    market = Market(range(1, 1 + there_are))

    found = newest_bars(market.read, ["AAPL"], NOW, 50, 5.0)

    assert minutes_ago(found["AAPL"]) == list(range(there_are, 0, -1))
    assert market.asked[-1][1] == 14 * 24 * 60
    assert len(market.asked) < 10


def test_history_is_asked_for_of_those_only_that_have_too_little() -> None:
    market = Market(range(1, 51))

    newest_bars(market.read, ["AAPL", "NOVA"], NOW, 50, 5.0)

    assert [names for names, _, _ in market.asked] == [("AAPL", "NOVA")]
