from decimal import Decimal

import pytest
from msgspec import structs

from hydra.trading.name_ties import NameTies
from hydra.trading.orders import Fill, Order, Side
from tests.trading.coverage_parts import NOW, order


def named(name: str, symbol: str = "AAPL", replaces: str | None = None) -> Order:
    return order(Side.SELL, "1", name, symbol=symbol, replaces=replaces).order


FILL = Fill(
    execution_id="x",
    client_order_id="a",
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(1),
    price=Decimal(1),
    at=NOW,
)


@pytest.mark.parametrize(
    ("orders", "are_there"),
    [
        ([], False),
        ([named("a"), named("b", "MSFT"), named("a")], False),
        ([named("a"), named("a", "MSFT")], True),
        ([named("a"), named("b", replaces="a")], False),
        ([named("a"), named("b", "MSFT", replaces="a")], True),
        ([named("b", "MSFT", replaces="a"), named("a")], True),
        ([named(""), named("", "MSFT")], False),
        ([named("a", replaces="")], True),
    ],
)
def test_a_name_in_two_symbols_is_a_tie(orders: list[Order], are_there: bool) -> None:
    ties = NameTies()
    for each in orders:
        ties.see_listed(each)

    assert ties.are_there is are_there


def test_ours_ties_what_the_venue_lists_under_its_name_elsewhere() -> None:
    ties = NameTies()
    ties.see_listed(named("a", "MSFT"))
    ties.see_ours(named("b"))
    assert not ties.are_there
    ties.see_ours(named("a"))

    assert ties.are_there


def test_one_execution_is_in_one_symbol() -> None:
    ties = NameTies()
    ties.see_execution(FILL)
    ties.see_execution(structs.replace(FILL, client_order_id="b"))
    assert not ties.are_there
    ties.see_execution(structs.replace(FILL, symbol="MSFT"))

    assert ties.are_there
