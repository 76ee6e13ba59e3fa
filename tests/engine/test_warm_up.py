"""A bot that fails and starts again trades on as if it had not: its strategy gets its bars back."""

from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.runtime.sim_runtime import SimRuntime
from hydra.settings import Settings
from hydra.settings.bot_parts import Signal
from supervisors import paths
from tests.engine.harness import (
    OPEN_AT,
    Gibberish,
    bars_of,
    market_of,
    play,
    rising,
    shipped_settings,
)

BOT: Ref[Any] = Ref(f"{paths.BOTS.path}/mom_AAPL")
WAVE = rising(14, step=0.06) + rising(14, from_price=100.78, step=-0.07)
BARS = bars_of([100.0] * 8 + WAVE * 5)
MARKET = market_of(BARS, close_at=BARS[-1].end_at)

MODES = [
    Signal(mode="placeholder_momentum_v1", params={}),
    Signal(mode="moving_average_cross", params={"fast_bars": 4, "slow_bars": 9}),
    Signal(mode="opening_range_breakout", params={"range_minutes": 16}),
    Signal(mode="bollinger_reversion", params={"bars": 12, "width": 1.2}),
]


def with_signal(signal: Signal) -> Settings:
    """The shipped settings with this signal for AAPL's bot, and no other bot on it."""
    settings = shipped_settings()
    first, *_ = settings.momentum_bots
    only = first.model_copy(update={"signal": signal})
    return settings.model_copy(update={"momentum_bots": (only,)})


FAILING_AT = range(OPEN_AT + 3 * MINUTE + 30 * SECOND, OPEN_AT + 130 * MINUTE, 7 * MINUTE)
"""Between two bars: before entries, after them, and while it holds."""


def fail(runtime: SimRuntime) -> None:
    runtime.tell(BOT, Gibberish())


@pytest.mark.parametrize(
    ("signal", "explore"),
    [
        *(pytest.param(signal, None, id=signal.mode) for signal in MODES),
        pytest.param(MODES[1], 1, id="with delays", marks=pytest.mark.slow),
    ],
)
def test_a_bot_that_fails_every_few_minutes_makes_the_trades_it_would_have_made_i38_i69(
    signal: Signal, explore: int | None
) -> None:
    settings = with_signal(signal)

    undisturbed = play(MARKET, settings=settings)
    failing = play(MARKET, settings=settings, at=dict.fromkeys(FAILING_AT, fail), explore=explore)

    assert failing.runtime.cells[BOT.path].restarts == len(FAILING_AT)
    assert failing.summary.trades == undisturbed.summary.trades
    assert {trade.entry_reason for trade in undisturbed.summary.trades} == {signal.mode}
