import math
import statistics
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from hydra.research.equity import EquityCurve
from hydra.research.facts import ReplayFacts
from hydra.research.metrics import measured
from hydra.research.performance import Statistics, Track, monthly_returns, statistics_of
from hydra.research.session_days import SessionDays
from tests.research.replays import OPEN, bar, facts, fill, two_trades

NONE_OF_THEM = Statistics(
    days=1,
    days_per_year=252,
    total_return_pct=0.0,
    cagr_pct=None,
    volatility_pct=None,
    sharpe=None,
    sortino=None,
    max_drawdown_pct=0.0,
    max_drawdown_from=None,
    max_drawdown_to=None,
    max_drawdown_until=None,
    calmar=None,
    exposure_pct=0.0,
    turnover=0.0,
    trades=0,
    trades_per_day=0.0,
    hit_rate_pct=None,
    average_win=None,
    average_loss=None,
    profit_factor=None,
    longest_losing_streak=None,
)


def account(replay: ReplayFacts) -> Statistics:
    return measured(replay).metrics.statistics


def days_with(
    values: Sequence[float],
    start: float,
    symbol: str = "AAPL",
    realised: Sequence[Decimal] = (),
) -> Statistics:
    """Of an account with this value at the end of each day."""
    bars = [bar(1.0, symbol=symbol, day=day) for day in range(len(values))]
    at = np.array([each.end_at for each in bars], np.int64)
    track = Track(
        at=at,
        value=np.array(values, np.float64),
        exposure=np.zeros(len(values)),
        start=start,
        realised=realised,
        volume=Decimal(0),
    )
    return statistics_of(track, SessionDays(bars, at))


def test_of_one_day_there_is_what_was_traded_and_nothing_that_is_of_a_year() -> None:
    assert account(two_trades()) == structs.replace(
        NONE_OF_THEM,
        total_return_pct=0.1,
        max_drawdown_pct=round(100 * 30 / 10_040, 6),
        max_drawdown_from="2026-01-05T14:33:00+00:00",
        max_drawdown_to="2026-01-05T14:34:00+00:00",
        exposure_pct=60.0,
        turnover=round(4_050 / 10_012, 6),
        trades=2,
        trades_per_day=2.0,
        hit_rate_pct=50.0,
        average_win=Decimal("30.00"),
        average_loss=Decimal("-20.00"),
        profit_factor=1.5,
        longest_losing_streak=1,
    )


def test_a_bots_figures_are_those_of_an_account_that_only_it_trades_on() -> None:
    replay = two_trades()
    alone = structs.replace(replay, fills=tuple(x for x in replay.fills if x.bot == "dip"))

    assert measured(replay).metrics.bots["dip"].statistics == account(alone)
    assert measured(replay).metrics.bots["idle"].statistics == NONE_OF_THEM


def test_without_trades_a_day_has_nothing_to_tell() -> None:
    assert account(facts([bar(100.0), bar(101.0, 1)])) == NONE_OF_THEM


def test_without_bars_there_is_no_figure_at_all() -> None:
    assert account(facts()) == structs.replace(
        NONE_OF_THEM,
        days=0,
        total_return_pct=None,
        max_drawdown_pct=None,
        exposure_pct=None,
        turnover=None,
        trades_per_day=None,
    )


def test_a_drawdown_from_the_start_that_is_made_good_says_when() -> None:
    closes = (100.0, 90.0, 95.0, 120.0)
    bars = [bar(close, minute) for minute, close in enumerate(closes)]

    found = account(facts(bars, [fill("buy", "10", "101", OPEN)], starting_cash=Decimal(1_010)))

    assert found.max_drawdown_pct == round(100 * 110 / 1_010, 6)
    assert found.max_drawdown_from == "2026-01-05T14:31:00+00:00"
    assert found.max_drawdown_to == "2026-01-05T14:32:00+00:00"
    assert found.max_drawdown_until == "2026-01-05T14:34:00+00:00"


def test_the_longest_losing_streak_ends_with_a_gain_or_with_nothing_lost() -> None:
    results = ("-1", "-1", "0", "-1", "-1", "-1", "2", "-1")
    track = Track(
        at=np.array([OPEN]),
        value=np.array([100.0]),
        exposure=np.array([0.0]),
        start=100.0,
        realised=tuple(map(Decimal, results)),
        volume=Decimal(0),
    )

    found = statistics_of(track, SessionDays([bar(1.0)], np.array([OPEN])))

    assert found.longest_losing_streak == 3
    assert found.hit_rate_pct == 12.5


def test_the_return_of_a_month_is_from_the_end_of_the_one_before() -> None:
    bars = [bar(100.0), bar(110.0, day=1), bar(121.0, day=28), bar(99.0, day=60)]
    curve = EquityCurve(bars, [fill("buy", "10", "100", OPEN)], Decimal(1_000))

    months = monthly_returns(curve, SessionDays(bars, curve.at))

    assert months == (("2026-01", 10.0), ("2026-02", 10.0), ("2026-03", round(-2200 / 121, 6)))


def test_an_account_with_nothing_left_has_no_ratio_and_breaks_nothing() -> None:
    bars = [bar(100.0), bar(50.0, day=1), bar(10.0, day=40)]
    fills = [fill("buy", "20", "100", OPEN)]
    replay = facts(bars, fills, starting_cash=Decimal(500))

    found = account(replay)

    assert (found.total_return_pct, found.max_drawdown_pct) == (-360.0, 360.0)
    assert (found.cagr_pct, found.sharpe, found.calmar) == (None, None, None)
    of_months = monthly_returns(measured(replay).curve, measured(replay).days)
    assert of_months == (("2026-01", -200.0), ("2026-02", None))


@pytest.mark.slow  # the library of statistics takes seconds to load
@given(
    st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=6),
    st.floats(0.01, 1e9),
    st.lists(st.decimals(-1_000, 1_000, places=2), max_size=5),
)
@example([1e-300, 1e300], 1.0, [])
@example([0.01, 1e12, 0.01], 1e9, [])
def test_whatever_the_values_each_figure_is_a_number_or_none(
    values: list[float], start: float, realised: list[Decimal]
) -> None:
    found = days_with(values, start, realised=realised)

    figures = [each for each in structs.asdict(found).values() if isinstance(each, float)]
    assert all(map(math.isfinite, figures))


RETURNS = (0.01, -0.02, 0.03, 0.0, -0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("symbol", "days"), [("AAPL", 252), ("BTC/USD", 365)])
def test_ratios_are_those_of_the_textbook(symbol: str, days: int) -> None:
    values = [10_000 * math.prod(1 + each for each in RETURNS[: n + 1]) for n in range(5)]

    found = days_with(values, 10_000.0, symbol)

    mean, spread = statistics.mean(RETURNS), statistics.stdev(RETURNS)
    falls = math.sqrt(statistics.mean(min(each, 0.0) ** 2 for each in RETURNS))
    growth = (values[-1] / 10_000) ** (days / 5) - 1
    deepest = 1 - 0.98 * 1  # from the end of the first day to the end of the second
    assert found.days_per_year == days
    assert found.total_return_pct == pytest.approx((values[-1] / 100) - 100, abs=1e-6)
    assert found.cagr_pct == pytest.approx(100 * growth, abs=1e-6)
    assert found.volatility_pct == pytest.approx(100 * spread * math.sqrt(days), abs=1e-6)
    assert found.sharpe == pytest.approx(mean / spread * math.sqrt(days), abs=1e-6)
    assert found.sortino == pytest.approx(mean / falls * math.sqrt(days), abs=1e-6)
    assert found.max_drawdown_pct == pytest.approx(100 * deepest, abs=1e-6)
    assert found.calmar == pytest.approx(growth / deepest, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "cagr", "volatility"),
    [
        ([100.0, 100.0, 100.0], 0.0, 0.0),  # flat
        ([101.0, 101.0 * 1.01, 101.0 * 1.01**2], 100 * (1.01**252 - 1), 0.0),  # the same each day
    ],
)
def test_returns_that_do_not_differ_have_no_ratio(
    values: list[float], cagr: float, volatility: float
) -> None:
    found = days_with(values, 100.0)

    assert (found.sharpe, found.sortino, found.calmar) == (None, None, None)
    assert found.cagr_pct == pytest.approx(cagr, abs=1e-6)
    assert found.volatility_pct == volatility


@pytest.mark.slow
def test_days_without_a_loss_have_no_sortino_and_no_calmar() -> None:
    found = days_with([101.0, 103.0, 104.0], 100.0)

    assert found.sharpe is not None
    assert (found.sortino, found.calmar, found.max_drawdown_pct) == (None, None, 0.0)


@pytest.mark.slow
def test_a_gain_too_large_to_tell_for_a_year_is_not_told() -> None:
    found = days_with([1e6, 1e9], 1.0)

    assert found.cagr_pct is None
    assert found.total_return_pct == (1e9 - 1) * 100
