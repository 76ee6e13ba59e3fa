"""The account's figures, against the documented account and against what trades do to them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.venues.simulated.brokerage.money import (
    AccountFigures,
    OptionStake,
    Reserve,
    Stake,
    account_figures,
    used_buying_power,
)

USD = st.decimals(0, 1_000_000, places=2)
SIGNED_USD = st.decimals(-1_000_000, 1_000_000, places=2)
MULTIPLIERS = st.sampled_from([1, 2, 4])
STAKES = st.lists(st.builds(Stake, SIGNED_USD, st.sampled_from([30, 75, 100])), max_size=4)
PAYOUTS = st.lists(st.builds(OptionStake, USD, USD.map(lambda value: -value), USD), max_size=2)
RESERVES = st.lists(
    st.builds(Reserve, value=USD, margin_pct=st.sampled_from([30, 75, 100]), cash=USD), max_size=3
)


def test_the_documented_account_comes_out() -> None:
    figures = account_figures(
        cash=Decimal("61874.33"), multiplier=2, stakes=[Stake(Decimal("36538.38"), 30)]
    )

    assert figures == AccountFigures(
        multiplier=2,
        cash=Decimal("61874.33"),
        equity=Decimal("98412.71"),
        long_market_value=Decimal("36538.38"),
        short_market_value=Decimal(0),
        initial_margin=Decimal("18269.19"),
        maintenance_margin=Decimal("10961.51"),
        buying_power=Decimal("160287.04"),
        regt_buying_power=Decimal("160287.04"),
        non_marginable_buying_power=Decimal("61874.33"),
        options_buying_power=Decimal("61874.33"),
        sma=Decimal("80143.52"),
        reserved=Decimal(0),
    )


@pytest.mark.parametrize(("multiplier", "power"), [(1, "1000"), (2, "2000"), (4, "4000")])
def test_cash_alone_buys_as_often_as_the_account_may_use_it(multiplier: int, power: str) -> None:
    figures = account_figures(cash=Decimal(1000), multiplier=multiplier)

    assert figures.buying_power == Decimal(power)
    assert figures.regt_buying_power == min(Decimal(power), Decimal(2000))


@given(SIGNED_USD, MULTIPLIERS, STAKES, PAYOUTS, RESERVES)
def test_no_order_and_no_position_makes_buying_power_negative(
    cash: Decimal, multiplier: int, stakes: list[Stake], options: list[OptionStake],
    reserves: list[Reserve],
) -> None:  # fmt: skip
    figures = account_figures(
        cash=cash, multiplier=multiplier, stakes=stakes, options=options, reserves=reserves
    )

    assert 0 <= figures.options_buying_power == figures.non_marginable_buying_power
    assert figures.non_marginable_buying_power * multiplier <= figures.buying_power
    assert figures.equity == cash + figures.long_market_value + figures.short_market_value


@given(USD, MULTIPLIERS, STAKES, USD, st.sampled_from([30, 75, 100]))
def test_an_order_takes_as_much_buying_power_while_it_is_open_as_when_it_has_filled(
    cash: Decimal, multiplier: int, stakes: list[Stake], value: Decimal, margin_pct: int
) -> None:
    order = Reserve(value=value, margin_pct=margin_pct, cash=value)

    while_open = account_figures(cash=cash, multiplier=multiplier, stakes=stakes, reserves=[order])
    filled = account_figures(
        cash=cash - value, multiplier=multiplier, stakes=[*stakes, Stake(value, margin_pct)]
    )

    assert filled.buying_power == while_open.buying_power
    assert filled.non_marginable_buying_power == while_open.non_marginable_buying_power


@given(USD, st.sampled_from([2, 4]), STAKES, USD)
def test_a_short_sale_takes_as_much_while_it_is_open_as_when_it_has_filled(
    cash: Decimal, multiplier: int, stakes: list[Stake], value: Decimal
) -> None:
    order = Reserve(value=value, margin_pct=30)

    while_open = account_figures(cash=cash, multiplier=multiplier, stakes=stakes, reserves=[order])
    filled = account_figures(
        cash=cash + value, multiplier=multiplier, stakes=[*stakes, Stake(-value, 30)]
    )

    assert filled.buying_power == while_open.buying_power


@given(USD, MULTIPLIERS, STAKES, USD, st.sampled_from([30, 75, 100]))
def test_what_an_order_uses_is_what_the_buying_power_falls_by(
    cash: Decimal, multiplier: int, stakes: list[Stake], value: Decimal, margin_pct: int
) -> None:
    order = Reserve(value=value, margin_pct=margin_pct)
    before = account_figures(cash=cash, multiplier=multiplier, stakes=stakes)
    used = used_buying_power(order, multiplier)
    if used > before.buying_power:
        return

    after = account_figures(cash=cash, multiplier=multiplier, stakes=stakes, reserves=[order])

    assert abs(before.buying_power - used - after.buying_power) <= Decimal("0.01")


def test_what_a_short_sale_brought_in_buys_nothing_that_is_paid_in_full() -> None:
    figures = account_figures(
        cash=Decimal(5_000),
        multiplier=2,
        stakes=[Stake(Decimal(10_000), 30), Stake(Decimal(-4_000), 30)],
    )

    assert figures.non_marginable_buying_power == Decimal(1_000)
    assert figures.buying_power == Decimal(8_000)


def test_an_asset_may_tie_up_more_than_the_half() -> None:
    figures = account_figures(cash=Decimal(0), multiplier=2, stakes=[Stake(Decimal(1_000), 75)])

    assert figures.initial_margin == figures.maintenance_margin == Decimal(750)
    assert figures.buying_power == Decimal(500)


def test_a_credit_spread_ties_up_what_it_may_lose() -> None:
    # Sold for 85 USD more than was paid; strikes 2.50 apart.
    spread = OptionStake(long_value=Decimal(50), short_value=Decimal(-135), payout=Decimal(250))

    figures = account_figures(cash=Decimal(10_085), multiplier=2, options=[spread])

    assert figures.equity == Decimal(10_000)
    assert figures.initial_margin == figures.maintenance_margin == Decimal(165)
    assert figures.options_buying_power == Decimal(9_835)


def test_what_is_left_of_an_order_ties_up_its_share_rounded_up() -> None:
    reserve = Reserve(value=Decimal(100), margin_pct=30, cash=Decimal(100))

    assert reserve.rest(Decimal(1), Decimal(3)) == Reserve(
        value=Decimal("33.34"), margin_pct=30, cash=Decimal("33.34")
    )
