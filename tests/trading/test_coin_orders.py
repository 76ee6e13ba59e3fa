"""How much one entry of a coin buys, at what limit, and what can be sold at all."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.coin_orders import (
    ENTRY_BAND_PCT,
    CoinEntry,
    CoinTerms,
    EntryTerms,
    entry_of,
)
from hydra.trading.exact import multiply, subtract
from hydra.trading.exit_rules import ExitRules
from hydra.trading.orders import OrderType, TimeInForce
from hydra.trading.situation import PriceStep

COIN = CoinTerms()
EXITS = ExitRules(Decimal("0.75"), Decimal("1.5"), 1)
FEE = Decimal("0.0025")


def wanted(
    usd: str = "50", *, order_type: OrderType = OrderType.LIMIT, is_notional: bool = True
) -> EntryTerms:
    return EntryTerms(
        order_type=order_type,
        time_in_force=TimeInForce.GTC,
        notional_usd=Decimal(usd),
        is_notional=is_notional,
    )


def entry(price: str, terms: EntryTerms, coin: CoinTerms = COIN) -> CoinEntry | str:
    return entry_of(Decimal(price), terms, coin, EXITS, FEE)


def test_a_limit_lies_a_tenth_of_a_percent_above_what_was_seen_and_nothing_is_rounded_up_i35() -> (
    None
):
    assert entry("60000.05", wanted()) == CoinEntry(
        quantity=Decimal("0.000832500"),  # 50 / 60060.05, cut off
        limit_price=Decimal("60060.05"),
        stop=Decimal("59550.04"),
    )


def test_a_market_order_has_no_limit_and_counts_with_the_same_price() -> None:
    at_limit = entry("60000", wanted())
    at_market = entry("60000", wanted(order_type=OrderType.MARKET))

    assert isinstance(at_limit, CoinEntry) and isinstance(at_market, CoinEntry)
    assert at_market.limit_price is None
    assert (at_market.quantity, at_market.stop) == (at_limit.quantity, at_limit.stop)


@pytest.mark.parametrize(
    ("held", "price", "part"),
    [
        ("1", "60000", "1"),
        ("3", "60000", "3"),
        ("3.1", "60000", "1.55"),
        ("1000", "60000", "2.994011976"),
        ("3.1", None, "3.1"),
    ],
)
def test_no_part_is_worth_more_than_the_venue_takes_with_room_for_the_price_to_rise(
    held: str, price: str | None, part: str
) -> None:
    seen = None if price is None else Decimal(price)

    assert COIN.part_to_sell(Decimal(held), seen) == Decimal(part)


def test_an_entry_that_is_worth_more_than_the_venue_takes_is_none() -> None:
    assert isinstance(entry("60000", wanted("200000")), CoinEntry)
    assert entry("60000", wanted("200000", is_notional=False)) == (
        "one entry of 200000 USD may cost 200200.00 USD, and the venue takes no order of more than"
        " 200000"
    )


def test_a_notional_is_the_most_it_costs_and_otherwise_what_it_is_worth_as_it_was_seen() -> None:
    notional = entry("100", wanted(is_notional=True))
    in_coins = entry("100", wanted(is_notional=False))

    assert isinstance(notional, CoinEntry) and isinstance(in_coins, CoinEntry)
    assert (notional.quantity, in_coins.quantity) == (Decimal("0.499500499"), Decimal("0.5"))
    assert notional.limit_price == in_coins.limit_price == Decimal("100.10")


@pytest.mark.parametrize(
    ("usd", "passes"), [("10.20", True), ("10.05", False), ("10", False), ("0.01", False)]
)
def test_what_could_not_be_sold_at_its_stop_is_not_bought_i31(usd: str, passes: bool) -> None:
    found = entry("100", wanted(usd))

    assert isinstance(found, CoinEntry) is passes
    if isinstance(found, str):
        assert found.startswith(f"one entry of {usd} USD would be worth ")
        assert found.endswith(" USD at its stop, at least 10 wanted to be sold")


def test_steps_are_the_venues_own_whatever_they_are_i35() -> None:
    coarse = CoinTerms(
        quantity_step=Decimal("0.25"),
        price_steps=(PriceStep(Decimal(0), Decimal("0.05")), PriceStep(Decimal(50), Decimal(3))),
    )

    assert entry("100", wanted("1000"), coarse) == (
        "at 100 there is no limit or stop on the venue's price steps"  # both would be 99
    )
    assert entry("1000", wanted("1000"), coarse) == CoinEntry(
        quantity=Decimal("1.00"), limit_price=Decimal(999), stop=Decimal(990)
    )
    assert entry("40", wanted("1000"), coarse) == CoinEntry(
        quantity=Decimal("25.00"), limit_price=Decimal("40.00"), stop=Decimal("39.70")
    )


@pytest.mark.parametrize("steps", [(), (PriceStep(Decimal(1), Decimal("0.01")),)])
def test_without_a_known_price_step_nothing_is_bought(steps: tuple[PriceStep, ...]) -> None:
    found = entry("0.5", wanted(), CoinTerms(price_steps=steps))

    assert found == "at 0.5 there is no limit or stop on the venue's price steps"


@given(
    price=st.decimals("0.02", "200000", places=4),
    usd=st.decimals("1", "25000", places=2),
    order_type=st.sampled_from([OrderType.LIMIT, OrderType.MARKET]),
    precision=st.integers(3, 40),
)
def test_no_entry_costs_more_than_the_notional_and_each_can_be_sold_at_its_stop_i31_i35(
    price: Decimal, usd: Decimal, order_type: OrderType, precision: int
) -> None:
    with localcontext() as context:
        context.prec = precision  # whatever a thread has set
        found = entry_of(price, wanted(str(usd), order_type=order_type), COIN, EXITS, FEE)
    if isinstance(found, str):
        assert usd < 11 or price < 10  # there a step is a large part of the price
        return
    dearest = price * (1 + ENTRY_BAND_PCT / 100)
    assert found.limit_price is None or price * Decimal("0.99") < found.limit_price <= dearest
    assert multiply(found.quantity, found.limit_price or price) <= usd
    assert found.quantity == COIN.whole(found.quantity)
    assert found.stop < (found.limit_price or price)
    left = COIN.whole(multiply(found.quantity, subtract(Decimal(1), FEE)))
    assert multiply(left, found.stop) >= 10


@pytest.mark.parametrize(
    ("quantity", "is_dust"),
    [("0", True), ("0.0999", True), ("0.1", False), ("0.0000000009", True)],
)
def test_what_is_worth_less_than_the_least_value_is_dust_i61(quantity: str, is_dust: bool) -> None:
    assert COIN.is_dust(Decimal(quantity), Decimal(100)) is is_dust


@pytest.mark.parametrize(
    ("held", "price", "sellable"),
    [
        ("2.0000000005", "100", "2"),
        ("0.05", "100", "0"),
        ("0.05", None, "0.05"),  # what it is worth is not known, so it counts
        ("0.0000000005", None, "0"),
        ("-0.05", "100", "-0.05"),
        ("0", "100", "0"),
    ],
)
def test_what_can_be_sold_is_whole_steps_that_are_worth_an_order(
    held: str, price: str | None, sellable: str
) -> None:
    mark = None if price is None else Decimal(price)

    assert COIN.sellable(Decimal(held), mark) == Decimal(sellable)
