from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.research.equity import EquityCurve
from hydra.research.replaying import BotFill
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.exact import add, total
from hydra.trading.fees import USD
from hydra.trading.instruments import value_of
from hydra.trading.inventory import FillBook
from hydra.venues.bar_files import read_bars
from tests.research.replays import OPEN, bar, fee_of, fill, two_trades
from tests.trading.market_data import MARKET_DATA

CASH = Decimal("10000.05")
OPTION = "AAPL260116C00200000"
AAPL = MARKET_DATA / "equity_1m" / "AAPL_1m_2016-04-15_2016-05-04.csv.gz"


def test_there_is_a_point_for_each_end_of_a_bar_and_it_knows_what_was_filled_by_then() -> None:
    replay = two_trades()

    curve = EquityCurve(replay.bars, replay.fills, replay.starting_cash)

    assert curve.at.tolist() == [bar.end_at for bar in replay.bars]
    # Bought at the end of the first bar, 10 more at 102 at the end of the second, and so on.
    assert curve.cash.tolist() == [9_000.0, 7_980.0, 9_010.0, 10_010.0, 10_010.0]
    assert curve.exposure.tolist() == [1_000.0, 2_020.0, 1_030.0, 0.0, 0.0]
    assert curve.equity.tolist() == [10_000.0, 10_000.0, 10_040.0, 10_010.0, 10_010.0]
    assert curve.drawdown_pct.round(4).tolist() == [0.0, 0.0, 0.0, 0.2988, 0.2988]
    assert curve.pnl_of("mom").tolist() == [0.0, 10.0, 30.0, 30.0, 30.0]
    assert curve.pnl_of("dip").tolist() == [0.0, -10.0, 10.0, -20.0, -20.0]
    assert curve.final_equity == Decimal(10_010)
    assert curve.final_pnl("mom") == Decimal(30)
    assert curve.final_pnl("idle") == Decimal(0)


def test_symbols_share_a_point_and_each_is_worth_its_newest_close() -> None:
    bars = (
        bar(100.0),
        bar(50.0, symbol="MSFT"),
        bar(101.0, 1),
        bar(102.0, 2),
        bar(52.0, 2, symbol="MSFT"),
    )
    fills = (fill("buy", "1", "100", OPEN), fill("sell", "2", "50", OPEN, symbol="MSFT"))

    curve = EquityCurve(bars, fills, Decimal(1_000))

    assert curve.equity.tolist() == [1_000.0, 1_001.0, 998.0]
    assert curve.exposure.tolist() == [200.0, 201.0, 206.0]


def test_what_has_no_bars_is_worth_its_newest_fill_with_the_units_of_a_contract() -> None:
    bars = (bar(100.0), bar(100.0, 1))
    fills = (
        fill("buy", "2", "1.50", OPEN, symbol=OPTION),
        fill("sell", "1", "2.10", OPEN + 2 * MINUTE, symbol=OPTION),
    )

    curve = EquityCurve(bars, fills, Decimal(1_000))

    assert curve.equity.tolist() == [1_000.0, 1_120.0]
    assert curve.final_equity == Decimal(1_120)


def test_a_fill_after_the_last_bar_counts_in_the_last_point() -> None:
    fills = (fill("buy", "1", "99", OPEN + 10 * MINUTE),)

    curve = EquityCurve((bar(100.0), bar(100.0, 1)), fills, CASH)

    assert curve.equity.tolist() == [10_000.05, 10_001.05]
    assert curve.final_equity == Decimal("10001.05")


def test_without_bars_there_is_no_point_and_the_exact_result_all_the_same() -> None:
    curve = EquityCurve((), (fill("buy", "1", "99", OPEN),), CASH)

    assert len(curve.at) == len(curve.equity) == len(curve.drawdown_pct) == 0
    assert curve.final_equity == CASH


def test_bars_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="not in the order of their ends; sort them first"):
        EquityCurve((bar(100.0, 1), bar(100.0, 0)), (), CASH)


def test_a_coins_fee_is_taken_off_the_coins_and_one_in_usd_off_the_cash() -> None:
    coin = "BTC/USD"
    bars = (bar(100.0, symbol=coin), bar(200.0, 1, symbol=coin))
    bought = fee_of(fill("buy", "1", "100", OPEN, symbol=coin), "0.0025", coin)
    sold = fee_of(fill("sell", "0.5", "200", OPEN + 2 * MINUTE, symbol=coin), "0.25")

    curve = EquityCurve(bars, (bought, sold), Decimal(100))

    assert curve.equity.tolist() == [99.75, 199.25]
    assert curve.final_equity == Decimal("199.25")


PRICES = st.decimals("0.01", "9999.99", places=2)
TIMES = st.integers(OPEN - MINUTE, OPEN + 12 * MINUTE)
SYMBOLS = ("AAPL", "BTC/USD", OPTION)


@st.composite
def executions(draw: st.DrawFn) -> BotFill:
    symbol = draw(st.sampled_from(SYMBOLS))
    coins = symbol == "BTC/USD"
    quantity = draw(st.decimals("0.000000001" if coins else "1", 1_000, places=9 if coins else 0))
    made = fill(
        draw(st.sampled_from(("buy", "sell"))),
        str(quantity),
        str(draw(PRICES)),
        draw(TIMES),
        symbol=symbol,
        bot=draw(st.sampled_from(("mom", "dip"))),
        order=f"o{draw(st.integers(0, 10**9))}",
    )
    in_coins = coins and made.fill.side.value == "buy"
    asset = "BTC/USD" if in_coins else USD
    return draw(st.sampled_from((made, fee_of(made, "0.000000007", asset))))


@st.composite
def markets(draw: st.DrawFn) -> tuple[Bar, ...]:
    minutes = draw(st.lists(st.integers(0, 9), min_size=1, max_size=8))
    return tuple(
        bar(float(draw(PRICES)), minute, symbol=draw(st.sampled_from(SYMBOLS[:2])))
        for minute in sorted(minutes)
    )


@given(markets(), st.lists(executions(), max_size=12, unique_by=lambda made: made.fill))
def test_the_last_point_is_the_exact_result_to_the_cent_and_that_is_the_books(
    bars: tuple[Bar, ...], fills: list[BotFill]
) -> None:
    curve = EquityCurve(bars, fills, CASH)
    in_time = sorted(fills, key=lambda made: made.fill.at)
    prices = {made.fill.symbol: made.fill.price for made in in_time}
    prices |= {each.symbol: Decimal(repr(each.close)) for each in bars}

    cash, held = CASH, dict.fromkeys(SYMBOLS, Decimal(0))
    books: dict[tuple[str, str], FillBook] = {}
    for made in in_time:
        done, sign = made.fill, made.fill.side.sign
        cash -= value_of(done.symbol, done.quantity, done.price) * sign
        held[done.symbol] += done.quantity * sign
        if made.fee is not None:
            cash -= made.fee.amount if made.fee.asset == USD else 0
            held[done.symbol] -= 0 if made.fee.asset == USD else made.fee.amount
        place = (made.bot, done.symbol)
        books.setdefault(place, FillBook(done.symbol)).book(done, made.fee)
    exact = cash + sum(value_of(each, held[each], prices[each]) for each in held if held[each])
    by_books = total(
        add(book.realised, book.inventory.unrealised(prices[symbol]))
        for (_, symbol), book in books.items()
    )

    assert curve.final_equity == exact == add(CASH, by_books)
    assert add(curve.final_pnl("mom"), curve.final_pnl("dip")) == by_books
    assert abs(Decimal(float(curve.equity[-1])) - exact) < Decimal("0.00001")
    both = curve.pnl_of("mom") + curve.pnl_of("dip") + float(CASH)
    assert abs(both - curve.equity).max() < 0.00001


@pytest.mark.skipif(not AAPL.exists(), reason=f"needs {AAPL.name} in ../shared/market-data")
def test_on_real_bars_the_curve_ends_at_the_sum_of_what_was_bought_and_sold() -> None:
    bars = read_bars(AAPL)
    fills = [
        fill("buy" if number % 2 else "sell", "7", repr(each.open), each.start_at)
        for number, each in enumerate(bars[::100])
    ]

    curve = EquityCurve(bars, fills, CASH)

    spent = sum(made.fill.quantity * made.fill.price * made.fill.side.sign for made in fills)
    held = sum(made.fill.quantity * made.fill.side.sign for made in fills)
    exact = CASH - spent + held * Decimal(repr(bars[-1].close))
    assert len(curve.at) == len(bars) == 5_460
    assert curve.final_equity == exact
    assert round(Decimal(float(curve.equity[-1])), 2) == round(exact, 2)
