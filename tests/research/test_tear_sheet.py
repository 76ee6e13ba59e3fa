import re
from collections import Counter
from decimal import Decimal
from xml.etree import ElementTree

import numpy as np
import pytest
from msgspec import structs

from hydra.research.charts import price_chart, time_marks
from hydra.research.equity import EquityCurve
from hydra.research.metrics import measured
from hydra.research.regret import GuardRegret
from hydra.research.tear_sheet import TRADES_AT_EACH_END, tear_sheet
from hydra.trading.durations import DAY, HOUR, MINUTE
from hydra.trading.orders import Side
from messages.summary import Trade
from tests.research.replays import OPEN, bar, facts, fill, two_trades, two_weeks


def page_of(**others: object) -> str:
    """Of a replay of one bar: there is too little for a chart, so none is drawn."""
    return tear_sheet(measured(structs.replace(facts([bar(100.0)]), **others))).decode()


def words_of(page: str) -> str:
    """What a person reads."""
    body = page[page.index("<body>") :]
    body = re.sub(r"<svg.*?</svg>", " ", body, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_the_page_says_first_what_was_replayed_and_that_it_is_not_real() -> None:
    words = words_of(page_of())

    assert words.startswith(
        "Replay smoke: AAPL 2026-01-05 14:30 to 2026-01-06 14:30 UTC, the end left out (given in"
        " America/New_York) Seed 7 · configuration c0ffeec0ffeec0ff · bars made by hand"
        " Simulated: not real money, not real fills. 10,000.00 final equity, USD, from 10,000.00"
    )
    assert "Too few bars for a chart." in words
    assert "The risk guardian denied 33 intents. no_order_opposes 30 quote_is_fresh 3" in words
    assert "slippage_bps 2" in words
    assert words.endswith(f"digest of AAPL_1m.csv.gz {'da7a' * 8}")


def test_what_cannot_be_told_is_not_available_and_never_a_strange_number() -> None:
    for page in (page_of(), tear_sheet(measured(facts())).decode()):
        words = words_of(page)
        assert "Sharpe n/a" in words
        assert not re.search(r"\b(nan|inf|None)\b", words)


def test_words_from_elsewhere_are_words_and_no_part_of_the_page() -> None:
    page = page_of(
        label="<script>alert(1)</script>",
        bots=('<img src="x">',),
        origin="a & b",
        denials=(("<b>", 1),),
    )

    assert "<script" not in page
    assert "<img" not in page
    assert "Replay &lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "a &amp; b" in page


def test_what_the_guards_refused_is_told_with_what_it_would_have_made() -> None:
    guards = (
        GuardRegret(
            check="heat_is_within_limit",
            refusals=1_234,
            trades=60,
            won=15,
            lost=45,
            later=7,
            untold=3,
            made=Decimal("-27.921"),
        ),
    )

    words = words_of(page_of(regret=guards))

    assert "heat_is_within_limit 1,234 60 15 45 7 3 −27.92" in words
    assert "refused entries" not in words_of(page_of())


def test_of_many_trades_the_first_and_the_last_are_shown_and_the_rest_is_counted() -> None:
    count = 2 * TRADES_AT_EACH_END + 7
    fills = [
        fill(side, "1", "100", OPEN, order=f"{side}-{number}")
        for number in range(count)
        for side in ("buy", "sell")
    ]
    told = [_told(number) for number in range(count)]

    words = words_of(tear_sheet(measured(facts([bar(100.0)], fills, told=tuple(told)))).decode())

    shown = [int(number) for number in re.findall(r"wish-(\d+)", words)]
    assert shown == [*range(TRADES_AT_EACH_END), *range(count - TRADES_AT_EACH_END, count)]
    assert "7 trades left out here: trades.csv has them all" in words


def _told(number: int) -> Trade:
    return Trade(
        bot="mom",
        symbol="AAPL",
        side=Side.BUY.value,
        quantity=Decimal(1),
        entry_price=Decimal(100),
        exit_price=Decimal(100),
        opened_at=OPEN,
        closed_at=OPEN,
        entry_reason=f"wish-{number}",
        exit_reason="target",
        realised=Decimal(0),
    )


def test_months_are_shown_from_three_on() -> None:
    spread = [bar(100.0), bar(100.0, day=30), bar(100.0, day=60)]

    assert "Returns by month" not in words_of(page_of())
    curve = EquityCurve(spread, (), Decimal(1))
    assert [text for _, text in time_marks(curve.at, 9)] == ["5 Jan", "4 Feb", "6 Mar"]


def test_a_point_at_midnight_ends_a_day_and_begins_none() -> None:
    hours = np.arange(1, 49, dtype=np.int64) * HOUR + OPEN - OPEN % DAY

    assert list(time_marks(hours, 4)) == [(0, "5 Jan"), (24, "6 Jan")]


def test_time_is_named_by_the_clock_on_one_day_and_by_the_month_over_years() -> None:
    day = EquityCurve([bar(1.0, minute) for minute in range(0, 391, 39)], (), Decimal(1)).at
    years = EquityCurve([bar(1.0, day=day) for day in range(0, 800, 40)], (), Decimal(1)).at

    assert list(time_marks(day, 3)) == [(0, "14:31"), (5, "17:46"), (10, "21:01")]
    assert [text for _, text in time_marks(years, 4)] == [
        "Jan 2026", "Jul 2026", "Feb 2027", "Aug 2027",
    ]  # fmt: skip


@pytest.mark.slow  # loads what draws
def test_the_page_needs_nothing_but_itself() -> None:
    page = tear_sheet(measured(two_weeks())).decode()

    assert not re.search(r"https?:|//[a-z]|<script|<link|<img|<iframe|@import", page)
    drawings = re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL)
    assert len(drawings) == 2 * 4  # wide and narrow: equity, bots, two symbols
    for drawing in drawings:
        ElementTree.fromstring(drawing)
        assert "#" not in re.sub(r'(url\(|href=")#', "", drawing), "a colour that is no variable"
    names = Counter(re.findall(r'\bid="([^"]+)"', page))
    assert [name for name, count in names.items() if count > 1] == []
    used = {*re.findall(r'href="#([^"]+)"', page), *re.findall(r"url\(#([^)]+)\)", page)}
    assert used
    assert used <= set(names)
    defined = set(re.findall(r"--[a-z0-9-]+(?=:)", page))
    assert set(re.findall(r"var\((--[a-z0-9-]+)\)", page)) <= defined


@pytest.mark.slow
def test_each_trade_has_its_marks_in_the_chart_of_its_symbol_on_both_screens() -> None:
    replay = two_trades(bots=("mom",))
    opened = fill("sell", "1", "100", OPEN + 4 * MINUTE, bot="dip", order="open")
    page = tear_sheet(measured(facts(replay.bars, [*replay.fills, opened]))).decode()

    charts = [svg for svg in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL) if "price0" in svg]

    assert len(charts) == 2
    for chart in charts:
        marks = Counter(
            re.findall(r"<use href=\"#[^\"]*\"[^>]*style=\"fill: var\(--(\w+)\)", chart)
        )
        assert {kind: marks[kind] for kind in ("ink", "gain", "loss")} == {
            "ink": 3,
            "gain": 1,
            "loss": 1,
        }


@pytest.mark.slow
def test_small_numbers_keep_their_digits_beside_the_chart() -> None:
    at = np.array([OPEN, OPEN + MINUTE], np.int64)

    drawing = price_chart("price", at, np.array([0.001, 0.0022]), ())

    assert re.findall(r">([\d.]+)</text>", drawing)[:3] == ["0.0012", "0.0016", "0.0020"]


@pytest.mark.slow
def test_of_many_symbols_those_with_the_most_trades_are_drawn_and_the_others_named() -> None:
    symbols = [f"S{letter}" for letter in "ABCDEFGH"]
    bars = [bar(10.0 + minute, minute, symbol=name) for minute in range(3) for name in symbols]
    fills = [fill("buy", "1", "10", OPEN, symbol=name) for name in symbols[1:]]

    words = words_of(tear_sheet(measured(facts(bars, fills))).decode())

    assert "SG 0 trades closed on 3 bars, 1 lot still held" in words
    assert "Not drawn: 1 symbol with fewer trades (SH)." in words
