"""Cash and holdings add up, and what they cost follows from what was paid."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.exact import add, multiply, subtract
from hydra.venues.simulated.brokerage.holdings import Holdings

CASH = Decimal(1_000)
quantities = st.decimals(-1_000, 1_000, places=9, allow_nan=False).filter(bool)
prices = st.decimals(Decimal("0.01"), 1_000, places=4, allow_nan=False)


@given(st.lists(st.tuples(quantities, prices), max_size=30))
def test_cash_and_quantity_are_exact_sums_and_the_average_is_between_the_prices(
    trades: list[tuple[Decimal, Decimal]],
) -> None:
    holdings = Holdings(CASH)
    cash, quantity = CASH, Decimal(0)

    for traded, price in trades:
        holdings.trade("HYDR", traded, price)
        cash = subtract(cash, multiply(traded, price))
        quantity = add(quantity, traded)

    assert holdings.cash == cash
    assert holdings.quantity("HYDR") == quantity
    held = holdings.find("HYDR")
    assert (held is None) == (quantity == 0)
    if held is not None:
        lowest, highest = min(p for _, p in trades), max(p for _, p in trades)
        slack = Decimal("1e-6")
        assert lowest - slack <= held.average_price <= highest + slack


def test_what_is_added_moves_the_average_and_what_is_sold_does_not() -> None:
    holdings = Holdings(CASH)
    averages = []

    for quantity, price in (("10", "100"), ("10", "110"), ("-5", "200"), ("-15", "1")):
        holdings.trade("HYDR", Decimal(quantity), Decimal(price))
        held = holdings.find("HYDR")
        averages.append(None if held is None else held.average_price)

    assert averages == [Decimal(100), Decimal(105), Decimal(105), None]


def test_through_zero_the_rest_costs_what_it_was_opened_at() -> None:
    holdings = Holdings(CASH)
    holdings.trade("HYDR", Decimal(10), Decimal(100))

    holdings.trade("HYDR", Decimal(-15), Decimal(120))

    held = holdings.find("HYDR")
    assert held is not None
    assert (held.quantity, held.cost, held.average_price) == (
        Decimal(-5),
        Decimal(-600),
        Decimal(120),
    )


def test_a_contract_costs_its_price_times_its_shares() -> None:
    holdings = Holdings(CASH)

    holdings.trade("HYDR261124C00040000", Decimal(2), Decimal("2.10"), 100)

    held = holdings.find("HYDR261124C00040000")
    assert held is not None
    assert (holdings.cash, held.cost, held.average_price) == (
        Decimal(580),
        Decimal(420),
        Decimal("2.1"),
    )


def test_a_new_day_measures_by_the_value_at_the_close() -> None:
    holdings = Holdings(CASH)
    holdings.trade("HYDR", Decimal(10), Decimal(100))
    holdings.begin_day({"HYDR": Decimal(1_040)})

    holdings.trade("HYDR", Decimal(-5), Decimal(103))
    holdings.trade("HYDR", Decimal(5), Decimal(106))

    held = holdings.find("HYDR")
    assert held is not None
    assert (held.cost, held.day_cost) == (Decimal(1_030), Decimal(1_050))


def test_a_split_keeps_the_cost() -> None:
    holdings = Holdings(CASH)
    holdings.trade("HYDR", Decimal(10), Decimal(100))

    grown = holdings.split("HYDR", 3, 2)

    held = holdings.find("HYDR")
    assert held is not None
    assert (grown, held.quantity, held.cost) == (Decimal(5), Decimal(15), Decimal(1_000))
