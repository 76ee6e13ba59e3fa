"""The market's past, as the historical endpoints show it."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.venues.simulated.market.aggregation import as_it_is
from hydra.venues.simulated.market.events import BarEnded, QuoteChanged, TradePrinted
from hydra.venues.simulated.market.history import History
from hydra.venues.simulated.market.pages import token_of
from hydra.venues.simulated.market.rows import (
    Adjustment,
    BadQuery,
    HistoryBar,
    OrderBook,
    PageQuery,
    Snapshot,
)
from hydra.venues.simulated.market.splits import Split
from hydra.venues.simulated.market.tape import MarketTerms, Tape
from hydra.venues.simulated.market.timeframes import Timeframe
from tests.venues.market.markets import (
    AAPL,
    BTC,
    HOUR,
    MINUTE,
    MONDAY_OPEN,
    SECOND,
    bar,
    drawn_markets,
    minutes,
    ns,
    real,
    tape,
    weekdays,
)

MINUTE_BARS, DAY_BARS = Timeframe.parse("1Min"), Timeframe.parse("1Day")
LATE = MONDAY_OPEN + 1_000 * HOUR
LAST_YEAR = "9999-12-31T23:59Z"
SYMBOLS = ("AAPL", "BTC/USD", "SPY")
TIMEFRAMES = st.sampled_from(["1Min", "2Min", "7Min", "1Hour", "1Day", "1Week", "1Month"]).map(
    Timeframe.parse
)
TIMES = st.integers(-2, 26 * 60).map(lambda after: MONDAY_OPEN + after * MINUTE)


def everything(*symbols: str) -> PageQuery:
    return PageQuery(symbols=symbols or SYMBOLS, start=0, end=LATE, limit=100_000)


def test_minute_bars_are_the_markets_own() -> None:
    bars = minutes("AAPL", 10.0, 11.0, 10.5)

    page = tape(bars).history.bars(everything(), MINUTE_BARS, LATE)

    assert page.rows == tuple(map(as_it_is, bars))
    assert page.next_token is None


def test_a_bar_tells_the_number_of_its_trades_and_their_average_price_by_volume() -> None:
    whole = bar("AAPL", MONDAY_OPEN, 10.0, 12.0, 9.0, 11.0, volume=1001.0)
    shown = tape([whole, bar("BTC/USD", MONDAY_OPEN, 90_000.0, volume=0.0)])

    page = shown.history.bars(everything(), MINUTE_BARS, LATE)

    # 251 at 10 and 250 at each of 9, 12 and 11.
    vwap = round((251 * 10 + 250 * (9 + 12 + 11)) / 1001, 9)
    assert page.rows == (
        HistoryBar("AAPL", MONDAY_OPEN, 10.0, 12.0, 9.0, 11.0, 1001.0, 4, vwap),
        HistoryBar("BTC/USD", MONDAY_OPEN, 90_000.0, 90_000.0, 90_000.0, 90_000.0, 0.0, 0, 0.0),
    )


def test_a_minute_in_which_no_share_was_traded_has_no_bar() -> None:
    quiet = bar("AAPL", MONDAY_OPEN, 10.0, volume=0.0)
    shown = tape([quiet, *minutes("AAPL", 11.0, start_at=MONDAY_OPEN + MINUTE)])

    page = shown.history.bars(everything(), MINUTE_BARS, LATE)

    assert [row.at for row in page.rows] == [MONDAY_OPEN + MINUTE]
    assert shown.history.latest_bar("AAPL", MONDAY_OPEN + MINUTE) is None


def folded(timeframe: Timeframe, bars: list[Bar], zone_of_symbol: str) -> list[tuple[object, ...]]:
    """Open, high, low, close by the plainest way there is."""
    from hydra.venues.simulated.market.timeframes import zone_of

    groups: dict[int, list[Bar]] = {}
    for each in bars:
        start = timeframe.around(each.start_at, zone_of(zone_of_symbol))[0]
        groups.setdefault(start, []).append(each)
    return [
        (
            start,
            group[0].open,
            max(each.high for each in group),
            min(each.low for each in group),
            group[-1].close,
            round(sum(each.volume for each in group), 9),
        )
        for start, group in groups.items()
    ]


@settings(max_examples=30)
@given(drawn_markets(), TIMEFRAMES)
def test_a_longer_bar_is_the_sum_of_its_minutes(
    bars: tuple[Bar, ...], timeframe: Timeframe
) -> None:
    page = tape(bars).history.bars(everything(), timeframe, LATE)

    expected = [
        (symbol, *row)
        for symbol in SYMBOLS
        for row in folded(
            timeframe,
            [each for each in bars if each.symbol == symbol and (each.volume or "/" in symbol)],
            symbol,
        )
    ]
    assert [
        (row.symbol, row.at, row.open, row.high, row.low, row.close, row.volume)
        for row in page.rows
    ] == expected
    assert all(row.low <= row.vwap <= row.high for row in page.rows if row.trades)


@settings(max_examples=30)
@given(drawn_markets(), TIMEFRAMES, TIMES)
def test_what_has_not_happened_yet_changes_nothing_that_is_told(
    bars: tuple[Bar, ...], timeframe: Timeframe, at: int
) -> None:
    shown = tape(bars)
    over = [each for each in bars if each.end_at <= at]

    told = shown.history.bars(everything(), timeframe, at)
    trades = shown.history.trades(everything(), at)
    quotes = shown.history.quotes(everything(), at)

    assert told.rows == (tape(over).history.bars(everything(), timeframe, at).rows if over else ())
    events = [event for event in shown.events(0) if event.at <= at]
    printed = [event for event in events if isinstance(event, TradePrinted)]
    changed = [event for event in events if isinstance(event, QuoteChanged)]
    assert sorted(printed, key=_by_symbol_and_time) == list(trades.rows)
    assert sorted(changed, key=_by_symbol_and_time) == list(quotes.rows)


def _by_symbol_and_time(row: TradePrinted | QuoteChanged) -> tuple[str, int]:
    return row.symbol, row.at


def test_the_bar_that_is_forming_is_told_from_a_day_on_and_not_before() -> None:
    bars = minutes("AAPL", *[10.0 + n for n in range(10)])
    history = tape(bars).history
    at = MONDAY_OPEN + 7 * MINUTE + 30 * SECOND

    def told(timeframe: str) -> list[tuple[int, float]]:
        page = history.bars(everything(), Timeframe.parse(timeframe), at)
        return [(row.at, row.close) for row in page.rows]

    assert len(told("1Min")) == 7
    assert told("5Min") == [(MONDAY_OPEN, 14.0)]
    assert told("1Hour") == []
    assert told("1Day") == [(ns("2026-01-05T05:00:00Z"), 16.0)]
    assert told("1Month") == [(ns("2026-01-01T05:00:00Z"), 16.0)]


def test_a_bar_is_told_from_the_very_instant_of_its_end_on() -> None:
    history = tape(minutes("AAPL", *[10.0] * 10)).history
    end = MONDAY_OPEN + 5 * MINUTE

    told = {
        (timeframe, at - end): len(history.bars(everything(), Timeframe.parse(timeframe), at).rows)
        for timeframe in ("1Min", "5Min")
        for at in (end - 1, end)
    }

    assert told == {("1Min", -1): 4, ("1Min", 0): 5, ("5Min", -1): 0, ("5Min", 0): 1}


def test_the_day_so_far_is_right_also_after_a_look_back() -> None:
    history = tape(minutes("AAPL", *[10.0 + n for n in range(10)])).history

    volumes = [
        day.volume
        for minute in (6, 3, 6, 9)
        if (day := history.day_so_far("AAPL", MONDAY_OPEN + minute * MINUTE)) is not None
    ]

    assert volumes == [6_000.0, 3_000.0, 6_000.0, 9_000.0]


def test_bars_longer_than_what_is_asked_for_are_told_by_their_quarters() -> None:
    midnight = ns("2026-01-05T00:00:00Z")
    long = bar("BTC/USD", midnight, 10.0, 12.0, 9.0, 11.0, volume=8.0, length=4 * HOUR)

    page = tape([long]).history.bars(everything(), Timeframe.parse("1Hour"), LATE)

    assert page.rows == tuple(
        HistoryBar("BTC/USD", midnight + n * HOUR, price, price, price, price, 2.0, 1, price)
        for n, price in enumerate((10.0, 9.0, 12.0, 11.0))
    )


@pytest.mark.parametrize(
    ("start", "end", "told"),
    [
        (0, LATE, [0, 1, 2]),
        (MONDAY_OPEN, MONDAY_OPEN + 2 * MINUTE, [0, 1, 2]),
        (MONDAY_OPEN + 1, MONDAY_OPEN + 2 * MINUTE - 1, [1]),
        (MONDAY_OPEN + MINUTE, MONDAY_OPEN + MINUTE, [1]),
        (MONDAY_OPEN + 3 * MINUTE, LATE, []),
        (LATE, 0, []),
    ],
)
def test_both_ends_of_the_span_are_included(start: int, end: int, told: list[int]) -> None:
    history = tape(minutes("AAPL", 10.0, 11.0, 12.0)).history
    query = PageQuery(symbols=("AAPL",), start=start, end=end)

    page = history.bars(query, MINUTE_BARS, LATE)

    assert [(row.at - MONDAY_OPEN) // MINUTE for row in page.rows] == told


@pytest.mark.parametrize("timeframe", ["1Min", "1Day", "1Week", "12Month"])
def test_a_span_from_the_first_year_to_the_last_is_one_like_another(timeframe: str) -> None:
    history = tape(minutes("AAPL", 10.0)).history
    all_time = PageQuery(symbols=("AAPL",), start=ns("0001-01-01T00:00Z"), end=ns(LAST_YEAR))
    end_of_time = PageQuery(symbols=("AAPL",), start=ns(LAST_YEAR), end=ns(LAST_YEAR))

    assert len(history.bars(all_time, Timeframe.parse(timeframe), LATE).rows) == 1
    assert history.bars(end_of_time, Timeframe.parse(timeframe), LATE).rows == ()
    assert len(history.quotes(all_time, LATE).rows) == 4


@pytest.mark.parametrize("what", ["bars", "days", "trades", "quotes"])
@settings(max_examples=30)
@given(
    bars=drawn_markets(),
    limit=st.integers(1, 9),
    descending=st.booleans(),
    symbols=st.permutations([*SYMBOLS, "NONE", "AAPL"]),
)
def test_pages_one_after_another_are_the_whole_by_symbol_then_time(
    what: str, bars: tuple[Bar, ...], limit: int, descending: bool, symbols: list[str]
) -> None:
    history = tape(bars).history
    whole = look(
        history,
        what,
        everything(
            *symbols,
        ),
    )[0]
    pages: list[tuple[object, ...]] = []
    token: str | None = None

    for _ in range(1_000):
        query = PageQuery(
            symbols=tuple(symbols), start=0, end=LATE, limit=limit, token=token,
            descending=descending,
        )  # fmt: skip
        rows, token = look(history, what, query)
        pages.append(rows)
        if token is None:
            break

    assert all(len(page) == limit for page in pages[:-1])
    assert 0 < len(pages[-1]) <= limit or pages == [()]
    told = [row for page in pages for row in page]
    keys = [(row.symbol, row.at) for row in whole]  # type: ignore[attr-defined]
    assert keys == sorted(set(keys))
    if descending:
        assert sorted(told, key=lambda row: (row.symbol, row.at)) == list(whole)  # type: ignore[attr-defined]
        for one, other in pairwise(told):
            assert one.symbol < other.symbol or one.at > other.at  # type: ignore[attr-defined]
    else:
        assert told == list(whole)


def look(history: History, what: str, query: PageQuery) -> tuple[tuple[object, ...], str | None]:
    match what:
        case "bars" | "days":
            timeframe = MINUTE_BARS if what == "bars" else DAY_BARS
            bars = history.bars(query, timeframe, LATE)
            return bars.rows, bars.next_token
        case "trades":
            trades = history.trades(query, LATE)
            return trades.rows, trades.next_token
        case _:
            quotes = history.quotes(query, LATE)
            return quotes.rows, quotes.next_token


@pytest.mark.parametrize(
    "token", ["", "x", "%%%", "QUFQTA==", "QUFQTHw=", "QUFQTHwtMQ==", "QUFQTHx4", "ü", "////"]
)
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    query = PageQuery(symbols=("AAPL",), start=0, end=LATE, token=token)

    with pytest.raises(BadQuery, match=r"^invalid page_token$"):
        tape(minutes("AAPL", 10.0)).history.bars(query, MINUTE_BARS, LATE)


def test_a_token_goes_on_behind_its_row_also_where_the_symbol_is_not_asked_for_any_more() -> None:
    history = tape([*minutes("AAPL", 10.0), *minutes("SPY", 20.0)]).history
    query = PageQuery(symbols=("SPY",), start=0, end=LATE, token=token_of("AAPL", MONDAY_OPEN))

    page = history.bars(query, MINUTE_BARS, LATE)

    assert [row.symbol for row in page.rows] == ["SPY"]


def test_a_limit_under_one_is_refused() -> None:
    with pytest.raises(BadQuery, match=r"^invalid limit$"):
        tape(minutes("AAPL", 10.0)).history.trades(
            PageQuery(symbols=("AAPL",), start=0, end=LATE, limit=0), LATE
        )


def test_the_newest_of_everything_is_one_snapshot() -> None:
    monday = minutes("AAPL", 10.0, 11.0)
    tuesday_open = MONDAY_OPEN + 24 * HOUR
    tuesday = minutes("AAPL", 12.0, 13.0, start_at=tuesday_open)
    history = tape([*monday, *tuesday]).history
    at = tuesday_open + MINUTE + 20 * SECOND

    snapshot = history.snapshot("AAPL", at)

    trade, quote = history.latest_trade("AAPL", at), history.latest_quote("AAPL", at)
    assert trade is not None
    assert quote is not None
    assert trade.at == quote.at == tuesday_open + MINUTE + 15 * SECOND
    days = history.bars(everything("AAPL"), DAY_BARS, at).rows
    assert snapshot == Snapshot(
        symbol="AAPL",
        trade=trade,
        quote=quote,
        minute_bar=as_it_is(tuesday[0]),
        daily_bar=days[1],
        previous_daily_bar=days[0],
    )
    assert history.snapshot("MSFT", at) is None


def test_before_the_first_bar_there_is_nothing_to_tell() -> None:
    history = tape(minutes("AAPL", 10.0)).history

    assert history.snapshot("AAPL", MONDAY_OPEN - 1) == Snapshot(
        symbol="AAPL", trade=None, quote=None, minute_bar=None, daily_bar=None,
        previous_daily_bar=None,
    )  # fmt: skip


def test_the_newest_trade_may_be_of_a_bar_long_before() -> None:
    traded = bar("BTC/USD", MONDAY_OPEN, 10.0, volume=4.0)
    quiet = [bar("BTC/USD", MONDAY_OPEN + n * MINUTE, 11.0, volume=0.0) for n in range(1, 9)]
    history = tape([traded, *quiet]).history

    trade = history.latest_trade("BTC/USD", LATE)

    assert trade is not None
    assert (trade.at, trade.price) == (MONDAY_OPEN + 45 * SECOND, 10.0)
    assert history.latest_trade("BTC/USD", MONDAY_OPEN - 1) is None


@settings(max_examples=30)
@given(drawn_markets(), st.lists(TIMES, min_size=1, max_size=6))
def test_the_day_so_far_is_the_newest_daily_bar_in_whatever_order_it_is_asked_for(
    bars: tuple[Bar, ...], times: list[int]
) -> None:
    history = tape(bars).history

    for at in times:
        for symbol in SYMBOLS:
            days = history.bars(everything(symbol), DAY_BARS, at).rows
            so_far = history.day_so_far(symbol, at)
            if "/" in symbol:  # a share's day without a trade has no bar, and is still the newest
                assert so_far == (days[-1] if days else None)
            elif so_far is not None:
                assert so_far == days[-1]


def test_the_book_of_a_coin_goes_away_from_its_quote_level_by_level() -> None:
    history = tape([bar("BTC/USD", MONDAY_OPEN, 90_000.0, volume=4.0)]).history

    assert history.order_book("BTC/USD", LATE) == OrderBook(
        "BTC/USD",
        MONDAY_OPEN + 45 * SECOND,
        bids=(
            (89_999.99, 1.0), (89_990.98, 2.0), (89_981.98, 3.0), (89_972.98, 4.0),
            (89_963.98, 5.0),
        ),
        asks=(
            (90_000.01, 1.0), (90_009.02, 2.0), (90_018.02, 3.0), (90_027.02, 4.0),
            (90_036.02, 5.0),
        ),
    )  # fmt: skip
    assert history.order_book("AAPL", LATE) is None
    assert history.order_book("BTC/USD", MONDAY_OPEN - 1) is None


def split_tape() -> Tape:
    """7 for 1 on 2026-01-06, as a share of old."""
    tuesday_open = MONDAY_OPEN + 24 * HOUR
    bars = [
        bar("AAPL", MONDAY_OPEN, 700.0, 714.0, 693.0, 707.0, volume=100.0),
        bar("AAPL", tuesday_open, 101.0, 102.0, 100.0, 101.5, volume=800.0),
        bar("SPY", MONDAY_OPEN, 400.0),
    ]
    split = Split(symbol="AAPL", ex_date=date(2026, 1, 6), new=7, old=1)
    return tape(bars, MarketTerms(splits=(split,)))


def test_bars_of_before_a_split_are_told_raw_or_in_shares_of_after_it() -> None:
    history = split_tape().history

    raw = history.bars(everything("AAPL"), DAY_BARS, LATE)
    adjusted = history.bars(everything("AAPL"), DAY_BARS, LATE, Adjustment.SPLIT)

    assert [row.close for row in raw.rows] == [707.0, 101.5]
    monday = adjusted.rows[0]
    assert (monday.open, monday.high, monday.low, monday.close, monday.volume) == (
        100.0,
        102.0,
        99.0,
        101.0,
        700.0,
    )
    assert adjusted.rows[1] == raw.rows[1]


def test_a_bar_that_begins_with_the_day_of_the_split_is_one_of_after_it() -> None:
    midnight = ns("2026-01-06T05:00:00Z")
    split = Split(symbol="AAPL", ex_date=date(2026, 1, 6), new=7, old=1)
    shown = tape([bar("AAPL", midnight, 101.0)], MarketTerms(splits=(split,)))

    page = shown.history.bars(everything("AAPL"), MINUTE_BARS, LATE, Adjustment.SPLIT)

    assert [row.close for row in page.rows] == [101.0]


def test_a_split_that_is_still_to_come_is_not_known_and_touches_no_other_share() -> None:
    history = split_tape().history
    on_monday = ns("2026-01-06T04:59:59Z")

    for query, at in ((everything("AAPL"), on_monday), (everything("SPY"), LATE)):
        raw = history.bars(query, DAY_BARS, at)
        assert history.bars(query, DAY_BARS, at, Adjustment.SPLIT) == raw


@pytest.mark.parametrize(("new", "old"), [(0, 1), (1, 0), (-2, 1)])
def test_a_split_into_nothing_is_refused(new: int, old: int) -> None:
    with pytest.raises(ValueError, match="wanted both over 0"):
        Split(symbol="AAPL", ex_date=date(2026, 1, 6), new=new, old=old)


def test_a_real_shares_days_are_those_of_its_minutes_stamped_midnight_in_new_york() -> None:
    bars = real(AAPL)
    shown = tape(bars, calendar=weekdays("2016-04-01", "2017-06-30"))

    days = shown.history.bars(everything("AAPL"), DAY_BARS, LATE).rows

    assert len(days) == 14
    assert days[0].at == ns("2016-04-15T04:00:00Z")
    first = bars[:390]
    assert (days[0].open, days[0].close) == (first[0].open, first[-1].close)
    assert days[0].high == max(each.high for each in first)
    assert days[0].volume == sum(each.volume for each in first)
    assert {day.trades for day in days} == {4 * 390}
    ended = [event for event in shown.events(0) if isinstance(event, BarEnded)]
    assert tuple(event.bar for event in ended) == bars


def test_a_real_coins_days_are_stamped_midnight_utc() -> None:
    bars = real(BTC)[: 3 * 24 * 60]

    days = tape(bars).history.bars(everything("BTC/USD"), DAY_BARS, LATE).rows

    assert [day.at for day in days] == [ns(f"2024-01-0{day}T00:00:00Z") for day in (1, 2, 3)]
    assert [day.open for day in days] == [bars[n * 24 * 60].open for n in range(3)]
