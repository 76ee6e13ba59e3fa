"""placeholder_options_v1: up for calls, down for puts, once for each move."""

from hydra.trading.strategies.placeholder_options import make
from hydra.trading.strategies.strategy import Signal
from tests.trading.market_data import bars_of
from tests.trading.strategies.playing import numbered, played

UP, DOWN = Signal.ENTER_LONG, Signal.ENTER_SHORT


def signals(closes: list[float], **parameters: object) -> list[tuple[int, Signal]]:
    return numbered(played(make(parameters), bars_of(closes)))


def test_it_says_once_which_way_a_move_goes() -> None:
    rising = [100.0, 100.0, 100.2, 100.5, 101.0]
    falling = [100.0, 100.0, 99.8, 99.5, 99.0]

    assert signals(rising, lookback_bars=1) == [(2, UP)]
    assert signals(falling, lookback_bars=1) == [(2, DOWN)]


def test_it_speaks_again_after_a_pause_or_when_the_move_turns() -> None:
    closes = [100.0, 101.0, 101.0, 102.0, 101.0, 100.0]

    assert signals(closes, lookback_bars=1) == [(1, UP), (3, UP), (4, DOWN)]


def test_less_than_the_threshold_is_no_move() -> None:
    assert signals([100.0, 100.19, 100.0], lookback_bars=1) == []
    assert signals([10.0, 10.02], lookback_bars=1, threshold_pct=0.2) == [(1, UP)]


def test_it_needs_a_close_to_look_back_at() -> None:
    assert signals([100.0, 110.0, 120.0], lookback_bars=3) == []
