"""The account: money and goods change hands to the last digit."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.orders import Fill, Side
from hydra.trading.venue_view import VenuePosition
from hydra.venues.simulated.account import Account

QUANTITIES = st.decimals(min_value="0.000000001", max_value=10**9, places=9)
PRICES = st.decimals(min_value="0.0001", max_value=10**9, places=4)


def fill_of(side: Side, quantity: Decimal, price: Decimal, symbol: str = "AAPL") -> Fill:
    return Fill(
        execution_id="x",
        client_order_id="a",
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price,
        at=0,
    )


def test_a_purchase_costs_what_it_is_worth_and_a_sale_gives_it_back() -> None:
    account = Account(Decimal(1_000))

    account.book(fill_of(Side.BUY, Decimal("1.5"), Decimal("100.01")))
    bought = account.cash, account.position("AAPL")
    account.book(fill_of(Side.SELL, Decimal("0.5"), Decimal("99.99")))

    assert bought == (Decimal("849.985"), Decimal("1.5"))
    assert (account.cash, account.position("AAPL")) == (Decimal("899.980"), Decimal(1))


@given(trades=st.lists(st.tuples(st.sampled_from(Side), QUANTITIES, PRICES), max_size=20))
def test_what_was_traded_back_at_the_same_price_leaves_nothing(
    trades: list[tuple[Side, Decimal, Decimal]],
) -> None:
    account = Account(Decimal("0.01"))

    for side, quantity, price in trades:
        account.book(fill_of(side, quantity, price))
    for side, quantity, price in trades:
        account.book(fill_of(side.opposite, quantity, price))

    assert account.cash == Decimal("0.01")
    assert account.positions() == ()


def test_positions_are_listed_by_symbol_and_what_is_flat_is_not_listed() -> None:
    account = Account(Decimal(0))

    for symbol, quantity in (("SPY", "2"), ("AAPL", "-1"), ("MSFT", "3"), ("MSFT", "-3")):
        account.adjust(symbol, Decimal(quantity))

    assert account.positions() == (
        VenuePosition(symbol="AAPL", quantity=Decimal(-1)),
        VenuePosition(symbol="SPY", quantity=Decimal(2)),
    )


def test_equity_is_cash_and_positions_at_their_last_prices() -> None:
    account = Account(Decimal(1_000))
    account.book(fill_of(Side.BUY, Decimal(3), Decimal(100)))
    account.book(fill_of(Side.SELL, Decimal("0.1"), Decimal(50_000), "BTC/USD"))

    before = account.equity()
    account.mark("AAPL", 101.1)
    account.mark("BTC/USD", 50_100.0)

    assert before is None
    assert account.equity() == Decimal("993.3")


def test_money_and_goods_may_change_without_a_trade() -> None:
    account = Account(Decimal(10))

    account.adjust_cash(Decimal("-0.25"))
    account.adjust("AAPL", Decimal(4))

    assert (account.cash, account.position("AAPL")) == (Decimal("9.75"), Decimal(4))
