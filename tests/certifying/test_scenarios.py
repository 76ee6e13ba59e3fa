"""Prices do what they are called for, and scenarios come from their seed alone."""

import random
from itertools import pairwise

import pytest

from hydra.certifying.prices import CHEAP_USD, DEAR_USD, GAP, SHAPES
from hydra.certifying.scenarios import KINDS, scenario_of
from hydra.proving.plan import HALF_DAY
from hydra.proving.scene import market_of
from hydra.trading.bar_checks import fault_in
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.venues.simulated.random_plan import GRAVE

BARS = market_of(5, HALF_DAY, ("AAPL", "MSFT")).bars


def shaped(shape: str) -> tuple[Bar, ...]:
    return SHAPES[shape](BARS, random.Random("a test"))


def of_first(shape: str) -> list[Bar]:
    return [bar for bar in shaped(shape) if bar.symbol == "AAPL"]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_bar_stays_a_good_one_in_the_order_of_time(shape: str) -> None:
    bars = shaped(shape)

    faults = {fault_in(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars}
    assert faults == {None}
    assert all(one.end_at <= other.end_at for one, other in pairwise(bars))
    assert bars == shaped(shape)
    assert {(bar.symbol, bar.end_at) for bar in bars} <= {(b.symbol, b.end_at) for b in BARS}


def test_prices_do_what_they_are_called_for() -> None:
    rising, falling = of_first("rising"), of_first("falling")
    assert rising[-1].close > rising[0].open * 1.1 > falling[-1].close * 1.3
    assert len({price for bar in of_first("flat") for price in (bar.open, bar.close)}) == 1
    assert of_first("cheap")[0].open == pytest.approx(CHEAP_USD, rel=0.05)
    assert of_first("dear")[0].open == pytest.approx(DEAR_USD, rel=0.05)
    apart = [abs(b.open / a.close - 1) for a, b in pairwise(of_first("gapping"))]
    assert max(apart) > GAP / 2
    assert len(of_first("missing")) < HALF_DAY
    quiet = [b.end_at - a.end_at for a, b in pairwise(of_first("halted"))]
    assert max(quiet) > 15 * MINUTE
    assert len([bar for bar in shaped("halted") if bar.symbol == "MSFT"]) == HALF_DAY


def test_each_kind_has_its_turn_and_a_seed_gives_the_same_again() -> None:
    drawn = [scenario_of(number, 1) for number in range(2 * len(KINDS))]

    assert [each.kind for each in drawn] == [*KINDS, *KINDS]
    assert drawn == [scenario_of(number, 1) for number in range(2 * len(KINDS))]
    assert drawn[0].plan != scenario_of(0, 2).plan
    assert drawn[0].plan.market != drawn[len(KINDS)].plan.market


def test_nothing_is_done_that_a_bot_could_not_help() -> None:
    rules = [rule for number in range(600) for rule in scenario_of(number, 0).plan.venue.rules]

    assert rules
    assert not {type(rule.fault) for rule in rules} & set(GRAVE)
