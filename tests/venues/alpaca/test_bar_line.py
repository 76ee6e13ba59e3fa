"""The bars of one symbol: in order, whole, and each once, whoever brought them."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.testkit.builders import bar
from hydra.trading.bars import Bar
from hydra.venues.alpaca.bar_line import WAITING_MAX, BarLine
from messages.market import BarsReceived

MINUTE = 60_000_000_000


def minute(number: int, close: float = 100.0) -> Bar:
    return bar(close, start_at=number * MINUTE)


def news(number: int) -> BarsReceived:
    return BarsReceived(bars=(minute(number),))


def history(number: int) -> BarsReceived:
    return BarsReceived(bars=(minute(number),), is_backfill=True)


def told(line: BarLine, *numbers: int) -> list[BarsReceived | None]:
    return [line.live(minute(number)) for number in numbers]


def test_bars_that_follow_one_another_are_told_as_they_come() -> None:
    assert told(BarLine(), 5, 6, 7) == [news(5), news(6), news(7)]


def test_a_bar_that_was_told_is_not_told_again_i46() -> None:
    assert told(BarLine(), 5, 6, 6, 5) == [news(5), news(6), None, None]


def test_behind_a_hole_bars_wait_until_it_has_been_looked_into_i47() -> None:
    line = BarLine()

    waiting = told(line, 5, 7, 8)
    filled = line.fill([minute(6)], news_since=8 * MINUTE)

    assert waiting == [news(5), None, None]
    assert filled == [history(6), history(7), news(8)]
    assert told(line, 9) == [news(9)]


def test_a_hole_in_which_nobody_traded_is_none() -> None:
    line = BarLine()
    told(line, 5, 7)

    assert line.fill([], news_since=7 * MINUTE) == [news(7)]


def test_after_an_interruption_even_the_very_next_bar_waits_i47() -> None:
    line = BarLine()
    told(line, 5)
    line.interrupt()

    assert told(line, 6) == [None]
    assert line.fill([minute(6)], news_since=6 * MINUTE) == [news(6)]


def test_what_was_fetched_and_never_came_on_the_stream_is_history_however_young_i46() -> None:
    line = BarLine()
    told(line, 5)
    line.interrupt()

    assert line.fill([minute(6)], news_since=0) == [history(6)]


def test_what_has_waited_for_too_long_is_history_too() -> None:
    line = BarLine()
    told(line, 5, 7)

    assert line.fill([], news_since=8 * MINUTE) == [history(7)]


def test_where_both_have_a_bar_the_fetched_one_counts() -> None:
    line = BarLine()
    told(line, 5, 7)
    corrected = minute(7, 101.0)

    assert line.fill([corrected], news_since=7 * MINUTE) == [BarsReceived(bars=(corrected,))]


def test_of_those_that_waited_only_the_newest_is_news() -> None:
    line = BarLine()
    told(line, 5, 7, 8)

    assert line.fill([], news_since=0) == [history(7), news(8)]


def test_what_was_told_before_is_not_told_again_by_what_was_fetched() -> None:
    line = BarLine()
    told(line, 5)
    line.interrupt()

    assert line.fill([minute(4), minute(5, 101.0), minute(6)], news_since=0) == [history(6)]


def test_only_so_many_wait_and_the_oldest_are_left_to_be_fetched() -> None:
    line = BarLine()
    told(line, 0)
    line.interrupt()
    told(line, *range(1, WAITING_MAX + 11))

    filled = line.fill([minute(1)], news_since=10**30)

    numbers = [received.bars[0].start_at // MINUTE for received in filled]
    assert numbers == [1, *range(11, WAITING_MAX + 11)]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("live"), st.integers(0, 30)),
        st.just(("interrupt", 0)),
        st.tuples(st.just("fill"), st.integers(0, 30)),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_bars_are_told_in_order_and_none_twice_i46_i47(
    steps: list[tuple[str, int]],
) -> None:
    line, out = BarLine(), list[BarsReceived]()
    for what, number in steps:
        match what:
            case "live":
                received = line.live(minute(number))
                out += [] if received is None else [received]
            case "interrupt":
                line.interrupt()
            case _:
                out += line.fill([minute(each) for each in range(number)], news_since=0)

    starts = [received.bars[0].start_at for received in out]
    assert starts == sorted(set(starts))


def test_a_bar_of_another_length_is_held_by_its_times_alone() -> None:
    line = BarLine()
    long = structs.replace(minute(5), end_at=10 * MINUTE)

    assert line.live(long) == BarsReceived(bars=(long,))
    assert told(line, 7, 10) == [None, news(10)]
