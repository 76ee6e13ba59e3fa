"""What an option is worth: against published values, its own laws, and real chains."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from math import isclose
from statistics import median

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec import structs

from hydra.venues.simulated.brokerage.contracts import Right
from hydra.venues.simulated.market.black_scholes import (
    DAYS_PER_YEAR,
    Terms,
    american_price,
    greeks,
    implied_volatility,
    price,
)
from hydra.venues.simulated.market.rows import Greeks
from tests.venues.market.markets import real_path

CALL = Terms(Right.CALL, spot=42.0, strike=40.0, years=0.5, rate=0.1)
PUT = structs.replace(CALL, right=Right.PUT)
STOCK = Terms(Right.CALL, spot=49.0, strike=50.0, years=20 / 52, rate=0.05)


def test_the_values_of_hulls_examples_come_out() -> None:
    # Hull, "Options, Futures, and Other Derivatives": the example of the pricing formulas.
    assert price(CALL, 0.2) == pytest.approx(4.76, abs=0.005)
    assert price(PUT, 0.2) == pytest.approx(0.81, abs=0.005)
    # The same: the share that the chapter on the Greek letters hedges; theta there is a year's,
    # vega and rho are for a change of one.
    told = greeks(STOCK, 0.2)
    assert price(STOCK, 0.2) == pytest.approx(2.40, abs=0.005)
    assert told.delta == pytest.approx(0.522, abs=0.0005)
    assert told.gamma == pytest.approx(0.066, abs=0.0005)
    assert told.theta * DAYS_PER_YEAR == pytest.approx(-4.31, abs=0.005)
    assert told.vega * 100 == pytest.approx(12.1, abs=0.05)
    assert told.rho * 100 == pytest.approx(8.91, abs=0.005)


def test_a_dividend_yield_counts_as_in_mertons_formula() -> None:
    # Hull, the example of an index option: 930, two months, 8 %, 20 %, a yield of 3 %.
    index = Terms(Right.CALL, 930.0, 900.0, 2 / 12, rate=0.08, dividend_yield=0.03)

    assert price(index, 0.2) == pytest.approx(51.83, abs=0.005)


TERMS = st.builds(
    Terms,
    st.sampled_from(Right),
    spot=st.floats(1.0, 5_000.0),
    strike=st.floats(1.0, 5_000.0),
    years=st.floats(1 / 365, 2.0),
    rate=st.floats(-0.01, 0.10),
    dividend_yield=st.floats(0.0, 0.05),
)
VOLATILITIES = st.floats(0.05, 2.0)


@given(TERMS, VOLATILITIES)
def test_a_call_less_a_put_is_a_share_less_the_strike(terms: Terms, volatility: float) -> None:
    call = price(structs.replace(terms, right=Right.CALL), volatility)
    put = price(structs.replace(terms, right=Right.PUT), volatility)

    forward = terms.spot_without_dividends - terms.strike * terms.discount
    assert isclose(call - put, forward, rel_tol=1e-9, abs_tol=1e-9 * terms.spot)


@given(TERMS, VOLATILITIES)
def test_an_option_is_worth_no_less_than_what_is_sure_and_no_more_than_its_best(
    terms: Terms, volatility: float
) -> None:
    slack = 1e-12 * (terms.spot + terms.strike)

    assert terms.worth_min - slack <= price(terms, volatility) <= terms.worth_max + slack


@given(TERMS, VOLATILITIES)
def test_an_american_option_is_worth_no_less_than_its_exercise_brings(
    terms: Terms, volatility: float
) -> None:
    worth = american_price(terms, volatility)

    assert worth == max(price(terms, volatility), terms.exercised)
    assert terms.exercised == max(0.0, terms.sign * (terms.spot - terms.strike))


def slope(terms: Terms, volatility: float, field: str, width: float) -> float:
    """The slope of the price in one of the terms, from two prices beside it."""
    here = getattr(terms, field)
    above = structs.replace(terms, **{field: here + width})
    below = structs.replace(terms, **{field: here - width})
    return (price(above, volatility) - price(below, volatility)) / (2 * width)


@given(
    st.builds(
        Terms,
        st.sampled_from(Right),
        spot=st.floats(50.0, 200.0),
        strike=st.floats(70.0, 150.0),
        years=st.floats(0.05, 2.0),
        rate=st.floats(-0.01, 0.1),
        dividend_yield=st.floats(0.0, 0.05),
    ),
    st.floats(0.1, 1.0),
)
def test_the_greeks_are_the_slopes_of_the_price(terms: Terms, volatility: float) -> None:
    told = greeks(terms, volatility)
    width = terms.spot * 1e-4
    deltas = [
        greeks(structs.replace(terms, spot=terms.spot + by), volatility).delta
        for by in (width, -width)
    ]
    vega = (price(terms, volatility + 1e-5) - price(terms, volatility - 1e-5)) / 2e-5

    assert told.delta == pytest.approx(slope(terms, volatility, "spot", width), abs=1e-6)
    assert told.gamma == pytest.approx((deltas[0] - deltas[1]) / (2 * width), abs=1e-6)
    assert told.theta == pytest.approx(-slope(terms, volatility, "years", 1e-6) / 365, abs=1e-6)
    assert told.vega == pytest.approx(vega / 100, abs=1e-6)
    assert told.rho == pytest.approx(slope(terms, volatility, "rate", 1e-6) / 100, abs=1e-6)


@given(TERMS, VOLATILITIES)
def test_the_volatility_comes_back_out_of_the_price(terms: Terms, volatility: float) -> None:
    worth = price(terms, volatility)
    # Where the volatility hardly moves the price, no price tells it.
    assume(greeks(terms, volatility).vega > 1e-5 * max(terms.spot, worth))

    found = implied_volatility(terms, worth)

    assert found == pytest.approx(volatility, abs=1e-5)


@pytest.mark.parametrize(
    "worth", [-1.0, 0.0, 3.9, CALL.worth_min, CALL.worth_max, 50.0, float("nan"), float("inf")]
)
def test_a_price_that_no_volatility_gives_has_none(worth: float) -> None:
    assert implied_volatility(CALL, worth) is None


@dataclass(frozen=True)
class Quoted:
    """A row of a real chain."""

    terms: Terms
    volatility: float
    middle: float
    greeks: dict[str, float]


def quoted(file: str, rate: float, dividend_yield: float) -> Iterator[Quoted]:
    """Rows that are neither deep, nor far out, nor about to expire."""
    with gzip.open(real_path(f"options_eod/{file}"), "rt") as lines:
        for row in csv.DictReader(lines):
            delta, days, volatility = abs(float(row["delta"])), int(row["dte"]), float(row["iv"])
            if days < 5 or volatility <= 0.02 or not 0.05 < delta < 0.95:
                continue
            yield Quoted(
                Terms(
                    Right.CALL if row["right"] == "C" else Right.PUT,
                    float(row["underlying_close"]), float(row["strike"]),
                    days / DAYS_PER_YEAR, rate, dividend_yield,
                ),
                volatility,
                (float(row["bid"]) + float(row["ask"])) / 2,
                {name: float(row[name]) for name in Greeks.__struct_fields__ if row.get(name)},
            )  # fmt: skip


def most(errors: list[float]) -> float:
    """What 95 of 100 do not exceed."""
    return sorted(errors)[int(len(errors) * 0.95)]


def test_the_greeks_of_real_spy_options_come_out_of_their_volatility() -> None:
    # The source counts calendar days of 365 and no dividends; 0.1 % is about the rate of 2021.
    rows = list(quoted("SPY_options_eod_2021-01-04_2021-08-31.csv.gz", 0.001, 0.0))

    told = [greeks(row.terms, row.volatility) for row in rows]

    assert len(rows) == 3_300
    relative = {
        name: most(
            [
                abs(getattr(one, name) / row.greeks[name] - 1)
                for one, row in zip(told, rows, strict=True)
            ]
        )
        for name in ("delta", "gamma", "vega", "theta")
    }
    # The source rounds to five decimals.
    assert max(relative.values()) < 0.003, relative
    # Its volatility is of another moment or side of the market than the middle of the last quote.
    found = [implied_volatility(row.terms, row.middle) for row in rows]
    apart = [
        abs(one - row.volatility) for one, row in zip(found, rows, strict=True) if one is not None
    ]
    assert len(apart) == len(rows)
    assert most(apart) < 0.005


def test_real_spx_options_come_out_near_their_own_figures() -> None:
    # Neither rate nor dividends are in the file: 2.5 % and 2 % were usual in 2019. Its gamma has
    # four decimals, so that of an index at 2,900 says little, and its days are whole ones.
    rows = list(quoted("SPX_chain_eod_2019-04-25.csv.gz", 0.025, 0.02))

    deltas = [abs(greeks(row.terms, row.volatility).delta - row.greeks["delta"]) for row in rows]
    found = [(implied_volatility(row.terms, row.middle), row.volatility) for row in rows]
    apart = [abs(one - other) for one, other in found if one is not None]

    assert len(rows) > 6_000
    assert most(deltas) < 0.01
    assert median(apart) < 0.002
    assert most(apart) < 0.015
