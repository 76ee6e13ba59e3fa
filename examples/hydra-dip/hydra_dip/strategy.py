"""closes_in_a_row: in when so many closes in a row were higher, out when so many were lower."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession
from hydra.trading.strategies.strategy import Signal, parameters_from

NAME = "closes_in_a_row"


class Parameters(Struct, frozen=True, kw_only=True):
    """`bars`: how many closes in a row."""

    bars: Annotated[int, Meta(ge=1, le=100)] = 3


class ClosesInARow:
    """See the module. It knows nothing of positions: the bot does."""

    def __init__(self, parameters: Parameters) -> None:
        self._bars = parameters.bars
        self._last: float | None = None
        self._row = 0
        """Higher closes in a row, or lower ones below zero."""

    @property
    def warm_up(self) -> int:
        """How many bars it remembers at most: one more, so that a row that is longer is known."""
        return self._bars + 2

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        """A signal on the bar with which the row is just long enough, and on no other."""
        last, self._last = self._last, bar.close
        if last is None or bar.close == last:
            self._row = 0
            return None
        step = 1 if bar.close > last else -1
        self._row = self._row + step if self._row * step > 0 else step
        if abs(self._row) != self._bars:
            # Beyond it the count says only that it is beyond: so few bars are all there is to know.
            self._row = max(-self._bars - 1, min(self._row, self._bars + 1))
            return None
        return Signal.ENTER_LONG if step > 0 else Signal.EXIT_LONG


def make(given: Mapping[str, object]) -> ClosesInARow:
    """A fresh strategy with these parameters; raises `BadParameters`."""
    return ClosesInARow(parameters_from(given, Parameters, strategy=NAME))
