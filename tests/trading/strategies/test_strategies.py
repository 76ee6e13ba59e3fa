"""What every strategy must do, whatever it is."""

from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.strategies import STRATEGIES
from hydra.trading.strategies.strategy import BadParameters, Strategy
from tests.trading.market_data import (
    AAPL,
    BTC_WITH_HOLES,
    MINUTE_NS,
    SPY_WITH_EXTENDED_HOURS,
    real_bars,
    real_sessions,
)
from tests.trading.strategies.playing import after_a_restart, played

SMALL: Mapping[str, Mapping[str, object]] = {
    "placeholder_momentum_v1": {"lookback_bars": 3, "threshold_pct": 0.1},
    "placeholder_crypto_momo_v1": {"lookback_bars": 1},
    "placeholder_options_v1": {"lookback_bars": 2, "threshold_pct": 0.1},
    "moving_average_cross": {"fast_bars": 2, "slow_bars": 5},
    "opening_range_breakout": {"range_minutes": 4, "buffer_pct": 0.05},
    "bollinger_reversion": {"bars": 5, "width": 1.0},
}
"""Parameters with which much happens in few bars."""

SESSIONS = SessionTable(
    tuple(
        ExchangeSession(
            f"2026-01-{number + 1:02}",
            number * 60 * MINUTE_NS,
            (number * 60 + (15 if number == 1 else 30)) * MINUTE_NS,
            number == 1,
        )
        for number in range(6)
    )
)
"""Sessions of half an hour with half an hour between them, and one that closes early."""

# A byte a bar, which is drawn fast.
WALKS = st.binary(max_size=40) | st.binary(min_size=100, max_size=180)
HOLES = st.sets(st.integers(0, 180), max_size=4)


def walk(steps: bytes, holes: set[int]) -> list[Bar]:
    """Bars in whole cents, half an hour of each hour; the bars of early closes are late trades.

    Of a step, six bits are the change of the close, and one each makes a wick.
    """
    bars, close = list[Bar](), 10_000
    for number, step in enumerate(steps):
        opened, close = close, max(100, close + step % 64 - 32)
        up, down = step // 128 * 5, step // 64 % 2 * 5
        if number in holes:
            continue
        start_at = (number // 30 * 60 + number % 30) * MINUTE_NS
        high, low = max(opened, close) + up, min(opened, close) - down
        bars.append(
            Bar(
                symbol="AAPL",
                start_at=start_at,
                end_at=start_at + MINUTE_NS,
                open=opened / 100,
                high=high / 100,
                low=low / 100,
                close=close / 100,
                volume=100.0,
            )
        )
    return bars


def small(name: str) -> Strategy:
    return STRATEGIES[name](SMALL[name])


pytestmark = pytest.mark.parametrize("name", STRATEGIES)


def test_the_names_are_those_that_configurations_use(name: str) -> None:
    assert name in SMALL


@given(steps=WALKS, holes=HOLES, data=st.data())
def test_the_signals_of_the_first_bars_do_not_depend_on_later_bars(
    name: str, steps: bytes, holes: set[int], data: st.DataObject
) -> None:
    bars = walk(steps, holes)
    count = data.draw(st.integers(0, len(bars)))

    told = played(small(name), bars[:count], SESSIONS)

    assert told == played(small(name), bars, SESSIONS)[:count]


@given(steps=WALKS, holes=HOLES)
def test_two_strategies_of_one_name_share_nothing(name: str, steps: bytes, holes: set[int]) -> None:
    one, other, alone = small(name), small(name), small(name)

    by_turns = [
        (one.on_bar(bar, session), other.on_bar(bar, session))
        for bar in walk(steps, holes)
        for session in (SESSIONS.at(bar.start_at),)
    ]

    told = played(alone, walk(steps, holes), SESSIONS)
    assert by_turns == [(signal, signal) for signal in told]


@given(steps=WALKS, holes=HOLES, data=st.data())
def test_one_that_is_shown_the_bars_it_asks_for_goes_on_as_if_it_had_seen_all_i38(
    name: str, steps: bytes, holes: set[int], data: st.DataObject
) -> None:
    bars = walk(steps, holes)
    restart_at = data.draw(st.integers(0, len(bars)))

    signals = after_a_restart(small(name), bars, SESSIONS, restart_at)

    assert signals == played(small(name), bars, SESSIONS)[restart_at:]


@pytest.mark.parametrize("file", [AAPL, SPY_WITH_EXTENDED_HOURS, BTC_WITH_HOLES])
def test_the_same_on_real_bars_wherever_it_is_restarted_i38(name: str, file: str) -> None:
    bars = real_bars(file)[:5_000]
    sessions = real_sessions(file, bars)
    whole = played(STRATEGIES[name]({}), bars, sessions)

    for restart_at in range(0, len(bars), 373):
        until = restart_at + 200
        signals = after_a_restart(STRATEGIES[name]({}), bars[:until], sessions, restart_at)

        assert signals == whole[restart_at:until]


@given(steps=WALKS, holes=HOLES, power=st.integers(-5, 5))
def test_it_goes_by_ratios_of_prices_alone(
    name: str, steps: bytes, holes: set[int], power: int
) -> None:
    bars, factor = walk(steps, holes), 2.0**power  # by powers of two floats scale exactly
    scaled = [
        msgspec.structs.replace(
            bar,
            open=bar.open * factor,
            high=bar.high * factor,
            low=bar.low * factor,
            close=bar.close * factor,
        )
        for bar in bars
    ]

    assert played(small(name), scaled, SESSIONS) == played(small(name), bars, SESSIONS)


def test_an_unknown_parameter_is_refused(name: str) -> None:
    with pytest.raises(BadParameters, match=rf"^{name}: no parameter 'colour'; there are "):
        STRATEGIES[name]({"colour": "red"})
