from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.durations import HOUR, MINUTE
from hydra.trading.exact import add, multiply
from hydra.trading.exit_rules import ExitReason
from hydra.trading.option_exits import (
    OpenOption,
    PremiumExits,
    contracts_for,
    option_exit_reason,
)
from tests.trading.coverage_parts import instant

D = Decimal
NOW = instant("2024-07-02 11:00")

EXITS = PremiumExits(
    stop_loss=D("0.40"),
    take_profit=D("0.50"),
    time_stop_ns=3 * HOUR,
    flatten_before_close_ns=10 * MINUTE,
)
HELD = OpenOption(
    exits=EXITS,
    premium=D("2.00"),
    opened_at=NOW - HOUR,
    bid=D("1.90"),
    at=NOW,
    close_at=instant("2024-07-02 16:00"),
    flat_by=instant("2024-07-12 15:00"),
    manage_until_passed=False,
)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        # 40 % of 2.00 is gone at 1.20, 50 % are won at 3.00.
        ({"bid": D("1.21")}, None),
        ({"bid": D("1.20")}, ExitReason.STOP_LOSS),
        ({"bid": D("0.01")}, ExitReason.STOP_LOSS),
        ({"bid": D("2.99")}, None),
        ({"bid": D("3.00")}, ExitReason.TAKE_PROFIT),
        ({"bid": None}, None),
        ({"opened_at": NOW - 3 * HOUR + 1}, None),
        ({"opened_at": NOW - 3 * HOUR}, ExitReason.TIME_STOP),
        ({"opened_at": NOW - 3 * HOUR, "bid": None}, ExitReason.TIME_STOP),
        ({"opened_at": NOW - 3 * HOUR, "bid": D("1.20")}, ExitReason.STOP_LOSS),
        ({"close_at": NOW + 10 * MINUTE + 1}, None),
        ({"close_at": NOW + 10 * MINUTE}, ExitReason.SESSION_END),
        ({"close_at": None}, ExitReason.SESSION_END),
        ({"manage_until_passed": True}, ExitReason.SESSION_END),
        ({"flat_by": NOW + 1}, None),
        ({"flat_by": NOW}, ExitReason.SESSION_END),
        ({"flat_by": None, "bid": None}, ExitReason.SESSION_END),
    ],
)
def test_each_rule_closes_from_its_own_mark_on(
    changes: dict[str, Any], reason: ExitReason | None
) -> None:
    assert option_exit_reason(structs.replace(HELD, **changes)) is reason


@pytest.mark.parametrize("bad", [D(0), D(-1), D("NaN"), D("Infinity")])
def test_what_is_no_price_is_refused_i34(bad: Decimal) -> None:
    for changes in ({"premium": bad}, {"bid": bad}):
        with pytest.raises(ValueError, match="wanted a decimal above 0"):
            option_exit_reason(structs.replace(HELD, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"stop_loss": D(0)},
        {"stop_loss": D("1.01")},
        {"stop_loss": D("NaN")},
        {"stop_loss": 0.4},
        {"take_profit": D(0)},
        {"time_stop_ns": 0},
        {"flatten_before_close_ns": True},
    ],
)
def test_exits_that_limit_nothing_are_refused_i40(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        structs.replace(EXITS, **changes)


PREMIUMS = st.decimals("0.01", "500", places=2)
FRACTIONS = st.decimals("0.01", "1", places=4)


@given(PREMIUMS, FRACTIONS, st.decimals("0.01", "1000", places=2))
def test_a_loss_of_the_fraction_or_more_is_always_stopped(
    premium: Decimal, fraction: Decimal, bid: Decimal
) -> None:
    exits = structs.replace(EXITS, stop_loss=fraction)
    held = structs.replace(HELD, exits=exits, premium=premium, bid=bid)

    is_stopped = option_exit_reason(held) is ExitReason.STOP_LOSS
    assert is_stopped is (premium - bid >= premium * fraction)


@pytest.mark.parametrize(
    ("budget", "price", "fees", "contracts"),
    [
        ("1000", "5.00", "0", 2),
        ("999.99", "5.00", "0", 1),
        ("1000", "5.00", "0.01", 1),
        ("1000", "10.01", "0", 0),
        ("0", "5.00", "0", 0),
        ("-1000", "5.00", "0", 0),
        ("NaN", "5.00", "0", 0),
        ("1000", "0", "0", 0),
        ("1000", "NaN", "0", 0),
        ("1000", "5.00", "NaN", 0),
        ("1000", "5.00", "-1", 0),
    ],
)
def test_a_budget_buys_whole_contracts_rounded_down_i35(
    budget: str, price: str, fees: str, contracts: int
) -> None:
    assert contracts_for(D(budget), D(price), D(fees)) == contracts


@given(st.decimals("0.01", "100000", places=2), PREMIUMS, st.decimals("0", "2", places=2))
def test_what_is_bought_is_paid_by_the_budget_and_one_more_is_not_i35(
    budget: Decimal, price: Decimal, fees: Decimal
) -> None:
    contracts = contracts_for(budget, price, fees)
    each = add(multiply(price, D(100)), fees)

    assert multiply(contracts, each) <= budget < multiply(contracts + 1, each)
