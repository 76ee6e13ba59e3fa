"""A strategy and the bars that it has seen: each once, in order, those of before the start first.

What the strategy wants is good until the next bar, or until somebody acts on it. That it wants out
stands: an exit may be denied, or wait for the end of a stop, or its process may end before it is on
record, and most strategies say it once.
"""

from collections import deque
from collections.abc import Iterable

from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, Hours
from hydra.trading.steady import SteadyHours
from hydra.trading.strategies.longer_bars import LongerBars
from hydra.trading.strategies.strategy import Signal, Strategy


class StrategyFeed:
    """Bars that come before history did wait for it, or the strategy would see a hole."""

    def __init__(self, strategy: Strategy, sessions: Hours) -> None:
        self._strategy = strategy
        self._sessions = SteadyHours(sessions)
        self._early: deque[Bar] | None = deque(maxlen=strategy.warm_up)
        """None: history is here, the strategy has them all."""
        self._seen_until = 0
        """The end of the newest bar that the strategy has seen."""
        self._newest_at: int | None = None
        """The end of the newest bar that came, seen or not."""
        self.signal: Signal | None = None
        """What the strategy makes of the newest bar; None: nothing, or it was acted on."""
        self._out_of = 0
        """It said to leave what was opened before this (market time), and nothing else since."""
        self._said: dict[Signal, int] = {}
        """The end of the newest bar of which it said this."""

    @property
    def has_history(self) -> bool:
        """Whether the strategy has seen what was before the start; until then it says nothing."""
        return self._early is None

    @property
    def warm_up(self) -> int:
        """How many bars of before the start it has to see."""
        return self._strategy.warm_up

    def take_history(self, history: Iterable[Bar]) -> None:
        """What came early follows it, or is its end. A signal counts if its bar is the last one."""
        early, self._early = self._early or (), None
        for bar in (*history, *early):
            self._show(bar, self._sessions.at(bar.start_at), out_of=bar.end_at)
        if self._newest_at is None or self._newest_at != self._seen_until:
            self.signal = None

    def take_bar(self, bar: Bar) -> None:
        """The next closed bar."""
        self._newest_at = bar.end_at
        if self._early is None:
            self.signal = None
            self._show(bar, self._sessions.at(bar.start_at), out_of=_ALL)
        else:
            self._early.append(bar)

    def entry(self, entered_at: int) -> Signal | None:
        """What the strategy wants, for a bot whose last entry was executed then (market time): None
        also where that stands for longer, so that it was entered on.
        """
        strategy = self._strategy
        if isinstance(strategy, LongerBars) and strategy.stands_since <= entered_at:
            return None
        return self.signal

    def wants_out(self, opened_at: int) -> bool:
        """Whether it said to leave what was opened then (market time), and has not wanted in since.

        What it says while bars come is of all that is held, or bought just then: `is_out` ends it.
        """
        return opened_at < self._out_of

    def last_said(self, signals: Iterable[Signal], since: int) -> Signal | None:
        """The newest of these that it said of a bar that ended after this (market time)."""
        said = [each for each in signals if self._said.get(each, 0) > since]
        return max(said, key=lambda each: self._said[each], default=None)

    def acted(self) -> None:
        """The wish is on its way; the next bar brings the next one."""
        self.signal = None

    def is_out(self) -> None:
        """Nothing is held, and nothing works: what it says from now on is of what comes."""
        self._out_of = 0

    def _show(self, bar: Bar, session: ExchangeSession | None, *, out_of: int) -> None:
        """The strategy sees each bar once, in order, also while the book is still unknown."""
        if bar.start_at >= self._seen_until:
            self._seen_until = bar.end_at
            self.signal = self._strategy.on_bar(bar, session)
            if self.signal is not None:
                self._said[self.signal] = bar.end_at
            match self.signal:
                case Signal.ENTER_LONG:
                    self._out_of = 0
                case Signal.EXIT_LONG:
                    self._out_of = out_of
                case _:
                    pass


_ALL = 1 << 63
"""Whenever it was opened."""
