import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.regimes import (
    Regime,
    RegimeShares,
    RegimeTerms,
    RegimeWatch,
    rank_at,
)
from hydra.trading.venue_clock import SKEW
from tests.trading.market_data import AAPL, BTC_WITH_HOLES, bars_of, real_bars

D = Decimal
LOW, NORMAL, ELEVATED, HIGH = Regime

TERMS = RegimeTerms(window=4, history=40, history_min=10, calm_bars=3)


class Seen(NamedTuple):
    """What a watch knew after a bar."""

    regime: Regime | None
    calm_for: int
    squares: tuple[float, ...]
    volatilities: tuple[float, ...]


def seen_by(watch: RegimeWatch) -> Seen:
    return Seen(watch.regime, watch.calm_for, watch.squares, watch.volatilities)


def told(bars: Iterable[Bar], terms: RegimeTerms = TERMS) -> list[Seen]:
    watch, seen = RegimeWatch(terms), []
    for bar in bars:
        watch.take(bar)
        seen.append(seen_by(watch))
    return seen


def squared(*returns: float) -> tuple[float, ...]:
    return tuple(each * each for each in returns)


def swinging(*phases: tuple[int, float]) -> list[float]:
    """Closes that go up and down: so many bars, by so many percent, phase after phase."""
    closes, sign = [100.0], 1
    for bars, percent in phases:
        for _ in range(bars):
            closes.append(closes[-1] * math.exp(sign * percent / 100))
            sign = -sign
    return closes


def test_nothing_is_known_before_there_is_enough_history() -> None:
    states = told(bars_of(swinging((30, 1.0))))

    # One close, four returns for the first value, ten values.
    assert [state.regime for state in states[:13]] == [None] * 13
    assert states[13].regime is NORMAL


def test_the_volatility_is_the_root_of_the_mean_squared_return() -> None:
    closes = [100.0, 101.0, 99.0, 99.0, 102.0]
    squares = [math.log(b / a) ** 2 for a, b in pairwise(closes)]

    assert told(bars_of(closes))[-1].volatilities == (math.sqrt(math.fsum(squares) / 4),)


def rank_of(values: Sequence[float]) -> float:
    """That of the last one of them."""
    return rank_at(sorted(values), sorted(values).index(values[-1]))


@pytest.mark.parametrize(
    ("values", "rank"),
    [
        ((1.0, 2.0, 3.0, 4.0, 5.0), 1.0),
        ((2.0, 3.0, 4.0, 5.0, 1.0), 0.0),
        ((1.0, 1.0, 1.0), 0.5),
        ((1.0, 3.0, 2.0, 4.0, 3.0), 0.625),
    ],
)
def test_the_rank_is_the_share_of_lower_values(values: tuple[float, ...], rank: float) -> None:
    assert rank_of(values) == rank


@pytest.mark.parametrize(
    ("rank", "regime"),
    [
        (0.0, LOW),
        (0.2499, LOW),
        (0.25, NORMAL),
        (0.7499, NORMAL),
        (0.75, ELEVATED),
        (0.8999, ELEVATED),
        (0.9, HIGH),
        (1.0, HIGH),
    ],
)
def test_thresholds_belong_to_the_wilder_regime(rank: float, regime: Regime) -> None:
    assert TERMS.at_rank(rank) is regime


def test_a_wilder_market_counts_at_once_and_a_calmer_one_only_after_some_bars() -> None:
    states = told(bars_of(swinging((30, 1.0), (2, 3.0), (12, 0.5))))

    regimes = [state.regime for state in states]
    assert regimes[30] is NORMAL
    assert regimes[31] is HIGH
    first_calm = next(n for n in range(32, 45) if regimes[n] is not HIGH)
    # Four bars until the swings have left the window, and three calm ones.
    assert first_calm == 32 + 4 + 3 - 1
    assert regimes[first_calm] is LOW


def test_calm_bars_must_come_in_a_row() -> None:
    """A wild bar among them begins the count anew."""
    calm, wild = (12, 0.5), (1, 6.0)
    unbroken = told(bars_of(swinging((30, 1.0), (6, 3.0), calm)))
    broken = told(bars_of(swinging((30, 1.0), (6, 3.0), (3, 0.5), wild, calm)))

    assert [(each.regime, each.calm_for) for each in unbroken[38:41]] == [
        (HIGH, 1),
        (HIGH, 2),
        (LOW, 0),
    ]
    assert [(each.regime, each.calm_for) for each in broken[38:41]] == [
        (HIGH, 1),
        (HIGH, 2),
        (HIGH, 0),
    ]


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=60))
def test_a_rank_counts_the_values_below_and_ties_by_half(values: list[float]) -> None:
    *others, last = values

    by_counting = (sum(v < last for v in others) + sum(v == last for v in others) / 2) / len(others)
    assert rank_of(values) == by_counting


def test_the_history_is_that_of_the_last_values_alone() -> None:
    """A market that was wild long ago is judged as if it never had been."""
    calm = swinging((200, 1.0))
    wild = [100.0 * 3.0 ** (n % 2) for n in range(20)] + [100.0 * each / calm[0] for each in calm]

    assert told(bars_of(wild))[-1] == told(bars_of(calm))[-1]


def test_over_a_hole_or_a_night_no_return_is_counted() -> None:
    bars = bars_of([100.0, 101.0, 150.0, 151.0])
    later = [structs.replace(bar, start_at=bar.start_at + 1, end_at=bar.end_at + 1) for bar in bars]

    squares = told([*bars[:2], *later[2:]])[-1].squares

    assert squares == squared(math.log(1.01), math.log(151 / 150))


@pytest.mark.parametrize("close", [0.0, -1.0, math.nan, math.inf, 1e13])
def test_a_close_that_is_no_price_breaks_the_row_and_counts_for_nothing_i46(close: float) -> None:
    bars = bars_of([100.0, 101.0, close, 102.0, 103.0])

    assert told(bars)[-1].squares == squared(math.log(1.01), math.log(103 / 102))


def test_a_bar_that_comes_again_or_late_changes_nothing_i49() -> None:
    bars = bars_of(swinging((20, 1.0)))

    assert told([*bars, bars[-1], bars[3]])[-1] == told(bars)[-1]


def test_an_old_regime_is_unknown_and_so_is_one_of_the_future() -> None:
    watch = RegimeWatch(TERMS)
    for bar in bars_of(swinging((30, 1.0))):
        watch.take(bar)
    end = bar.end_at

    known = [watch.current(at, 10) for at in (end - SKEW - 1, end - SKEW, end, end + 10, end + 11)]
    assert known == [None, NORMAL, NORMAL, NORMAL, None]


@pytest.mark.parametrize(
    "changes",
    [
        {"window": 0},
        {"history": 9},
        {"history_min": 1},
        {"calm_bars": 0},
        {"window": True},
        {"normal_from": 0.0},
        {"normal_from": 0.8},
        {"high_from": 1.0},
        {"high_from": math.nan},
        {"margin": 0.25},
        {"margin": -0.1},
        {"margin": math.nan},
    ],
)
def test_terms_that_cannot_be_meant_are_refused_i40(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        structs.replace(TERMS, **changes)


def test_an_unknown_regime_has_a_share_of_its_own_and_silence_the_smallest_of_all() -> None:
    shares = RegimeShares(unknown=D("0.2"))

    assert [shares.of(regime) for regime in Regime] == [D(1), D(1), D("0.75"), D("0.5")]
    assert (shares.of(None), shares.least) == (D("0.2"), D("0.2"))
    assert RegimeShares().least == D("0.5")


@pytest.mark.parametrize(
    "shares",
    [
        {"low": D("1.01")},
        {"normal": D("0.4")},
        {"high": D("-0.1")},
        {"high": D("NaN")},
        {"low": 1.0},
    ],
)
def test_no_share_is_above_one_and_none_rises_i41(shares: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted a decimal from 0 to"):
        RegimeShares(**shares)


PERCENTS = st.lists(st.floats(-5, 5), min_size=20, max_size=120)


def closes_of(percents: list[float]) -> list[float]:
    closes = [100.0]
    for percent in percents:
        closes.append(closes[-1] * math.exp(percent / 100))
    return closes


@given(PERCENTS)
def test_a_regime_falls_only_after_calm_bars_and_memory_is_bounded(percents: list[float]) -> None:
    states = told(bars_of(closes_of(percents)))

    for before, state in pairwise(states):
        assert len(state.squares) <= TERMS.window
        assert len(state.volatilities) <= TERMS.history
        assert state.calm_for < TERMS.calm_bars
        if before.regime is None or state.regime is None:
            assert before.regime is None
        elif state.regime.height < before.regime.height:
            assert before.calm_for == TERMS.calm_bars - 1


@given(PERCENTS, st.floats(0.01, 1000))
def test_the_regime_does_not_depend_on_the_price_level(percents: list[float], level: float) -> None:
    """Prices that are powers of two apart have the very same returns."""
    power = 2.0 ** round(math.log2(level))
    closes = closes_of(percents)

    scaled = told(bars_of([close * power for close in closes]))
    assert [each.regime for each in scaled] == [each.regime for each in told(bars_of(closes))]


REAL = RegimeTerms(window=30, history=1_000, history_min=200)


def changes(states: list[Seen]) -> int:
    known = [state.regime for state in states if state.regime is not None]
    return sum(one is not other for one, other in pairwise(known))


@pytest.mark.parametrize("file", [AAPL, BTC_WITH_HOLES])
def test_on_real_bars_every_regime_occurs_and_memory_lessens_the_changes(file: str) -> None:
    bars = real_bars(file)[:4_000]
    states = told(bars, REAL)
    without = told(bars, structs.replace(REAL, margin=0.0, calm_bars=1))

    assert {state.regime for state in states} == {None, *Regime}
    assert 0 < changes(states) < changes(without) / 2
