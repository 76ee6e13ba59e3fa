"""Every line of the table decides about some order: no rule is dead or hides behind another."""

import pytest

from hydra.venues.simulated.brokerage.checks import syntax
from hydra.venues.simulated.brokerage.checks.assets import ASSET
from hydra.venues.simulated.brokerage.checks.check import Check, first_of
from hydra.venues.simulated.brokerage.checks.place import CHECKS, Kind, as_taken, kind_of
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from tests.venues.simulated_broker.checks.refusals_of_payloads import CASES
from tests.venues.simulated_broker.checks.test_other_option_refusals import ORDERS as OPTION_ORDERS
from tests.venues.simulated_broker.checks.test_other_refusals import ORDERS

REFUSED: list[tuple[PlaceOrder, OrderView]] = [
    *((case.order, case.seen) for case in CASES.values()),
    *((order, seen) for order, seen, _ in [*ORDERS, *OPTION_ORDERS]),
]
READABLE = [
    (as_taken(order, seen), seen)
    for order, seen in REFUSED
    if first_of((*syntax.SYNTAX, *ASSET), order, seen) is None
]


RULES = [(kind, number) for kind, checks in CHECKS.items() for number in range(len(checks))]


@pytest.mark.parametrize(("kind", "number"), RULES)
def test_each_rule_of_a_kind_decides_about_some_order(kind: Kind, number: int) -> None:
    orders = [(order, seen) for order, seen in READABLE if kind_of(order, seen) is kind]

    assert _decides(number, CHECKS[kind], orders)


@pytest.mark.parametrize("number", range(len(syntax.SYNTAX)))
def test_each_rule_of_syntax_decides_about_some_order(number: int) -> None:
    assert _decides(number, syntax.SYNTAX, REFUSED)


def _decides(
    number: int, checks: tuple[Check, ...], orders: list[tuple[PlaceOrder, OrderView]]
) -> bool:
    """Whether some order passes all rules before this one, and not this one."""
    return any(
        first_of(checks[:number], order, seen) is None and checks[number](order, seen) is not None
        for order, seen in orders
    )
