"""How a strategy is played: bars in, signals out, each bar in the session it began in."""

from collections.abc import Sequence

from hydra.trading.bars import Bar
from hydra.trading.sessions import SessionTable
from hydra.trading.strategies.strategy import Signal, Strategy

NO_SESSIONS = SessionTable(())


def played(
    strategy: Strategy, bars: Sequence[Bar], sessions: SessionTable = NO_SESSIONS
) -> list[Signal | None]:
    """What it says to each bar."""
    return [strategy.on_bar(bar, sessions.at(bar.start_at)) for bar in bars]


def after_a_restart(
    strategy: Strategy, bars: Sequence[Bar], sessions: SessionTable, restart_at: int
) -> list[Signal | None]:
    """What a strategy says from a bar on that had only seen the bars it asks for."""
    history = bars[max(0, restart_at - strategy.warm_up) : restart_at]
    return played(strategy, [*history, *bars[restart_at:]], sessions)[len(history) :]


def numbered(signals: Sequence[Signal | None]) -> list[tuple[int, Signal]]:
    """Each signal with the number of the bar that gave it."""
    return [(number, signal) for number, signal in enumerate(signals) if signal is not None]
