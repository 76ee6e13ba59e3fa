"""What an account can bear: each refusal in the broker's words, and just not refused beside it."""

from decimal import Decimal

import pytest

from hydra.trading.orders import Order, Side
from hydra.venues.simulated.matching import MatchingEngine
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import OrderAccepted, OrderRejected
from tests.venues.simulated.orders import (
    bar_of,
    gtc,
    ioc,
    limit,
    market,
    of_symbol,
    replacing,
    stop,
)

BUY, SELL = Side.BUY, Side.SELL
BTC = "BTC/USD"
WASH = "potential wash trade detected. use complex orders"
POOR = "insufficient buying power"
FLAT = (100.0, 100.0, 100.0, 100.0)


def engine_with(
    *resting: Order,
    position: str = "0",
    symbol: str = "AAPL",
    cash: str = "100000",
    shorts_allowed: bool = False,
) -> MatchingEngine:
    """The symbol last traded at 100, so much of it is held, and these orders rest."""
    engine = MatchingEngine(VenueTerms(starting_cash=Decimal(cash), shorts_allowed=shorts_allowed))
    engine.on_bar(bar_of(0, FLAT, symbol=symbol))
    engine.account.adjust(symbol, Decimal(position))
    for number, order in enumerate(resting):
        (report,) = engine.submit(order, at=number)
        assert isinstance(report, OrderAccepted), report
    return engine


def answer(engine: MatchingEngine, order: Order) -> str | None:
    """The reason of the refusal; None: accepted."""
    first, *_ = engine.submit(order, at=100)
    return first.reason if isinstance(first, OrderRejected) else None


@pytest.mark.parametrize(
    ("position", "resting", "order", "refusal"),
    [
        ("10", [], market("a", SELL, "10"), None),
        ("10", [], market("a", SELL, "12"), "(requested: 12, available: 10)"),
        ("10", [limit("b", SELL, "110", "4")], market("a", SELL, "6"), None),
        ("10", [limit("b", SELL, "110", "4")], market("a", SELL, "7"), "(requested: 7, avail"),
        ("10", [limit("b", SELL, "110", "10")], market("a", SELL, "1"), "(requested: 1, avail"),
        ("0.5", [], market("a", SELL, "0.50"), None),
        ("10.50", [], market("a", SELL, "11"), "(requested: 11, available: 10.5)"),
        ("-10", [], market("a", BUY, "10"), None),
        ("-10", [], market("a", BUY, "11"), "(requested: 11, available: 10)"),
        ("-10", [limit("b", BUY, "90", "4")], market("a", BUY, "7"), "(requested: 7, available: 6"),
    ],
)
def test_no_order_closes_more_than_is_held_and_not_spoken_for(
    position: str, resting: list[Order], order: Order, refusal: str | None
) -> None:
    found = answer(engine_with(*resting, position=position), order)

    if refusal is None:
        assert found is None
    else:
        assert found is not None
        assert found.startswith(f"insufficient qty available for order {refusal}")


@pytest.mark.parametrize(
    ("shorts_allowed", "order", "refusal"),
    [
        (False, market("a", SELL), "account is not allowed to short"),
        (True, market("a", SELL), None),
        (True, market("a", SELL, "0.5"), "fractional orders cannot be sold short"),
    ],
)
def test_what_is_not_held_is_sold_only_where_shorts_are_allowed(
    shorts_allowed: bool, order: Order, refusal: str | None
) -> None:
    assert answer(engine_with(shorts_allowed=shorts_allowed), order) == refusal


def test_no_short_is_opened_beside_a_buy() -> None:
    engine = engine_with(limit("b", BUY, "90"), shorts_allowed=True)

    refusal = answer(engine, limit("a", SELL, "110"))

    assert refusal == "cannot open a short sell while a long buy order is open"


@pytest.mark.parametrize("shorts_allowed", [False, True])
@pytest.mark.parametrize(
    ("position", "quantity", "refusal"),
    [
        ("0.01246875", "0.01246875", None),
        (
            "0.012468750",
            "0.0125",
            "insufficient balance for BTC (requested: 0.0125, available: 0.01246875)",
        ),
        ("0", "1", "insufficient balance for BTC (requested: 1, available: 0)"),
        ("-1", "1", "insufficient balance for BTC (requested: 1, available: 0)"),
    ],
)
def test_coins_are_never_sold_short(
    shorts_allowed: bool, position: str, quantity: str, refusal: str | None
) -> None:
    engine = engine_with(position=position, symbol=BTC, shorts_allowed=shorts_allowed)
    engine.on_bar(bar_of(1, (40_000.0, 40_000.0, 40_000.0, 40_000.0), symbol=BTC))

    assert answer(engine, ioc(market("a", SELL, quantity, symbol=BTC))) == refusal


@pytest.mark.parametrize(
    ("resting", "order", "refusal"),
    [
        (limit("b", SELL, "101"), market("a", BUY), WASH),
        (limit("b", SELL, "101"), stop("a", BUY, "150"), WASH),
        (stop("b", SELL, "90"), market("a", BUY), WASH),
        (stop("b", SELL, "90"), limit("a", BUY, "80"), WASH),
        (market("b", SELL), limit("a", BUY, "80"), WASH),
        (limit("b", SELL, "101"), limit("a", BUY, "101"), WASH),
        (limit("b", SELL, "101"), limit("a", BUY, "101.01"), WASH),
        (limit("b", SELL, "101"), limit("a", BUY, "100.99"), None),
        (limit("b", BUY, "99"), limit("a", SELL, "99"), WASH),
        (limit("b", BUY, "99"), limit("a", SELL, "98"), WASH),
        (limit("b", BUY, "99"), limit("a", SELL, "99.01"), None),
        (limit("b", SELL, "101"), stop("a", SELL, "90"), None),
        (limit("b", SELL, "101"), market("a", BUY, symbol="SPY"), None),
    ],
)
def test_nothing_is_taken_that_could_trade_with_our_own(
    resting: Order, order: Order, refusal: str | None
) -> None:
    assert answer(engine_with(resting, position="40"), order) == refusal


def test_what_a_replacement_replaces_is_neither_held_against_it_nor_paid_twice() -> None:
    selling = engine_with(limit("b", SELL, "110", "10"), position="10")
    buying = engine_with(limit("b", BUY, "90", "10"), cash="1000")

    answers = [
        answer(selling, replacing("b", limit("a", SELL, "120", "10"))),
        answer(buying, replacing("b", limit("a", BUY, "100", "10"))),
    ]

    assert answers == [None, None]


@pytest.mark.parametrize(
    ("cash", "resting", "order", "refusal"),
    [
        ("1000", [], market("a", BUY, "10"), None),
        ("999.99", [], market("a", BUY, "10"), POOR),
        ("950", [], limit("a", BUY, "95", "10"), None),
        ("949.99", [], limit("a", BUY, "95", "10"), POOR),
        ("1076.20", [], stop("a", BUY, "105", "10"), None),
        ("1076.19", [], stop("a", BUY, "105", "10"), POOR),
        ("1976.20", [stop("b", BUY, "105", "10")], limit("a", BUY, "90", "10"), None),
        ("1976.19", [stop("b", BUY, "105", "10")], limit("a", BUY, "90", "10"), POOR),
        ("1900", [limit("b", BUY, "90", "10")], market("a", BUY, "10"), None),
        ("1899", [limit("b", BUY, "90", "10")], market("a", BUY, "10"), POOR),
        ("2000", [market("b", BUY, "10")], limit("a", BUY, "100", "10"), None),
        ("1999", [market("b", BUY, "10")], limit("a", BUY, "100", "10"), POOR),
        ("0", [], market("a", BUY, "10", symbol="MSFT"), None),
    ],
    ids=str,
)
def test_a_buy_is_paid_in_cash_and_so_is_every_buy_that_is_open(
    cash: str, resting: list[Order], order: Order, refusal: str | None
) -> None:
    assert answer(engine_with(*resting, cash=cash), order) == refusal


def test_what_has_been_executed_of_an_order_is_paid_and_only_the_rest_of_it_is_reserved() -> None:
    terms = VenueTerms(starting_cash=Decimal(2_000), max_participation=Decimal("0.004"))
    engine = MatchingEngine(terms)
    engine.submit(limit("b", BUY, "100", "10"), at=0)
    engine.on_bar(bar_of(0, FLAT))  # buys 4

    answers = [
        answer(engine, limit("a", BUY, "100.01", "10")),
        answer(engine, limit("c", BUY, "100", "10")),
    ]

    assert answers == [POOR, None]


def test_a_sale_and_the_closing_of_a_short_need_no_money() -> None:
    long, short = engine_with(position="10", cash="0"), engine_with(position="-10", cash="0")

    answers = [answer(long, market("a", SELL)), answer(short, market("a", BUY))]

    assert answers == [None, None]


@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        (gtc(limit("a", BUY, "50", "0.2")), None),
        (gtc(limit("a", BUY, "49.99", "0.2")), "cost basis must be >= minimal amount of order 10"),
        (ioc(market("a", BUY, "0.1")), None),
        (ioc(market("a", BUY, "0.09")), "cost basis must be >= minimal amount of order 10"),
    ],
)
def test_coins_are_traded_from_ten_dollars_on(order: Order, refusal: str | None) -> None:
    assert answer(engine_with(symbol=BTC), of_symbol(BTC, order)) == refusal


def test_an_account_that_is_blocked_takes_no_order_until_it_is_free_again() -> None:
    engine = engine_with(limit("b", BUY, "99"))

    engine.block("account_blocked")
    blocked = answer(engine, market("a", BUY)), engine.snapshot(100, 0).account.blocked
    filled = engine.on_bar(bar_of(1, (99.0, 99.0, 99.0, 99.0)))
    engine.block("")

    assert blocked == ("account is not authorized to trade", "account_blocked")
    assert len(filled) == 1
    assert answer(engine, market("c", BUY)) is None
