"""The crowd and its bars; and the measurement once, as small as it goes, whatever it gives."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ops.bench.rows import CouldNotMeasure, Effort
from hydra.ops.bench.thousand_bots import BOTS, take_crowd, thousand_bots
from hydra.ops.bench.thousand_bots_probe import OPENS_AT, Ticks, symbol_of, with_crowd
from hydra.trading.durations import MINUTE
from tests.engine.scenery import shipped_settings

TINY = Effort(rounds=1, scale=0.001)
CONFIG = Path(__file__).resolve().parents[3] / "config"


@given(st.integers(1, 50), st.integers(1, 200), st.booleans())
def test_each_symbol_has_a_bar_a_minute_that_follows_its_last_one(
    symbols: int, count: int, at_once: bool
) -> None:
    ticks = Ticks(tuple(map(symbol_of, range(symbols))), at_once=at_once)

    bars = [ticks.bar(number) for number in range(count)]

    assert [ticks.number_of(bar) for bar in bars] == list(range(count))
    assert [bar.end_at for bar in bars] == sorted(bar.end_at for bar in bars)
    for first, second in zip(bars, bars[symbols:], strict=False):
        assert (second.symbol, second.start_at) == (first.symbol, first.end_at)
        assert second.open == first.close
    assert bars[0].start_at == OPENS_AT
    assert all(bar.end_at - bar.start_at == MINUTE for bar in bars)


def test_bars_that_end_at_once_end_together_and_others_never_do() -> None:
    symbols = tuple(map(symbol_of, range(5)))

    def ends(*, at_once: bool) -> int:
        ticks = Ticks(symbols, at_once=at_once)
        return len({ticks.end_at(number) for number in range(len(symbols))})

    assert (ends(at_once=True), ends(at_once=False)) == (1, len(symbols))


def test_the_crowd_is_the_first_bot_under_names_and_on_symbols_of_their_own() -> None:
    settings = shipped_settings()

    crowd = with_crowd(settings, BOTS).momentum_bots

    first = settings.momentum_bots[0]
    assert len({bot.bot_id for bot in crowd}) == len({bot.ticker for bot in crowd}) == BOTS
    for bot in crowd:
        own = {"bot_id": first.bot_id, "ticker": first.ticker, "enabled": first.enabled}
        assert bot.model_copy(update=own) == first
        assert bot.enabled


@pytest.mark.slow
def test_a_crowd_trades_in_an_engine_of_its_own_and_leaves_nothing(tmp_path: Path) -> None:
    measured = take_crowd(TINY, CONFIG, tmp_path, bots=60)

    assert len(measured) == len(thousand_bots(CONFIG, tmp_path).figures)
    assert all(0 < one.value < math.inf and 0 < one.bound_value < math.inf for one in measured)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_engine_that_does_not_start_is_said_to_be_the_reason(tmp_path: Path) -> None:
    with pytest.raises(CouldNotMeasure, match=r"exit 1: .*no such file"):
        take_crowd(TINY, tmp_path, tmp_path, bots=1)
