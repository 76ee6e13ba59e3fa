"""The contracts of a proved day: what they are quoted at, and what the venue executes orders by."""

from datetime import date
from decimal import Decimal

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.proving import scene
from hydra.proving.option_market import FIRST_PRICE, OptionMarket
from hydra.proving.plan import CONTRACTS, HALF_DAY, SYMBOLS, UNDERLYING
from hydra.trading.bars import Bar
from hydra.trading.option_symbols import Right, parsed
from hydra.venues.simulated.market_data import MarketData
from messages.options import ChainQuestion

CALL, FARTHER_CALL, PUT, FARTHER_PUT = CONTRACTS


@pytest.fixture(scope="module")
def day() -> tuple[MarketData, OptionMarket]:
    return scene.option_market_of(seed=1, minutes=HALF_DAY)


def bars_of(data: MarketData, symbol: str) -> list[Bar]:
    return [bar for bar in data.bars if bar.symbol == symbol]


def exercised(symbol: str, price: float) -> float:
    """What a contract brings at once."""
    option = parsed(symbol)
    assert option is not None
    gain = price - float(option.strike)
    return max(0.0, gain if option.right is Right.CALL else -gain)


def test_a_day_with_options_is_the_one_without_and_more(
    day: tuple[MarketData, OptionMarket],
) -> None:
    data, _ = day
    plain = scene.market_of(seed=1, minutes=HALF_DAY)

    assert data.symbols == (*SYMBOLS, UNDERLYING, *CONTRACTS)
    assert [bar for bar in data.bars if bar.symbol in SYMBOLS] == list(plain.bars)
    assert [bar.end_at for bar in data.bars] == sorted(bar.end_at for bar in data.bars)
    assert {symbol: len(bars_of(data, symbol)) for symbol in data.symbols} == dict.fromkeys(
        data.symbols, HALF_DAY
    )
    assert data == scene.option_market_of(seed=1, minutes=HALF_DAY)[0]


def test_the_share_begins_where_its_contracts_are_around_the_money(
    day: tuple[MarketData, OptionMarket],
) -> None:
    data, _ = day

    assert bars_of(data, UNDERLYING)[0].open == FIRST_PRICE


@pytest.mark.parametrize("symbol", CONTRACTS)
def test_a_quote_has_two_sides_over_what_exercise_brings_and_its_bar_is_their_middle(
    day: tuple[MarketData, OptionMarket], symbol: str
) -> None:
    data, options = day
    for share, bar in zip(bars_of(data, UNDERLYING), bars_of(data, symbol), strict=True):
        quote = options.quote(symbol, share.start_at)

        assert quote is not None
        assert 0 < quote.bid < quote.ask < 20
        assert quote.ask > exercised(symbol, share.open)
        assert bar.open == pytest.approx((quote.bid + quote.ask) / 2)
        assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high


def test_time_takes_value_off() -> None:
    data, _ = scene.option_market_of(seed=1, minutes=HALF_DAY)
    still = [
        Bar(UNDERLYING, bar.start_at, bar.end_at, 100.0, 100.0, 100.0, 100.0, 1_000.0)
        for bar in bars_of(data, UNDERLYING)
    ]
    assert data.option_calendar is not None
    options = OptionMarket(still, data.option_calendar, seed=1)

    for symbol in CONTRACTS:
        closes = [bar.close for bar in options.bars() if bar.symbol == symbol]
        assert sorted(closes, reverse=True) == closes
        assert closes[-1] < closes[0]


def test_nothing_is_quoted_before_the_bell_and_after_the_close(
    day: tuple[MarketData, OptionMarket],
) -> None:
    data, options = day
    (session,) = data.sessions.sessions

    assert options.quote(CALL, session.open_at - SECOND) is None
    assert options.quote(CALL, session.close_at - SECOND) is not None
    assert options.quote(CALL, session.close_at) is None


def test_a_question_is_answered_by_the_contracts_that_it_asks_for(
    day: tuple[MarketData, OptionMarket],
) -> None:
    data, options = day
    question = ChainQuestion(
        underlying=UNDERLYING,
        right=Right.CALL,
        first=date(2026, 1, 12),
        last=date(2026, 2, 19),
        strike_from=Decimal(85),
        strike_to=Decimal("101.5"),
        reply_to="a test",
        asked_by=1,
        number=1,
    )
    at = data.begins_at + 10 * MINUTE

    (listed,) = options.listed(question, at)

    assert (listed.symbol, listed.quote) == (CALL, options.quote(CALL, at))
    assert listed.delta is not None and 0.3 < listed.delta < 0.7
    assert listed.implied_volatility is not None
