"""The bars of one symbol, to be looked up by time."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from hydra.trading.bars import Bar


class Series:
    """Bars in the order of time that do not overlap. A look-up costs a bisection."""

    __slots__ = ("_count", "_ends", "_starts", "bar", "symbol")

    bar: Callable[[int], Bar]
    """The bar in this place, from 0 to under `len`."""

    def __init__(
        self,
        symbol: str,
        bar: Callable[[int], Bar],
        starts: "array[int]",
        ends: "array[int]",
        count: int,
    ) -> None:
        self.symbol = symbol
        self.bar = bar
        self._starts = starts
        self._ends = ends
        self._count = count

    @classmethod
    def of(cls, symbol: str, bars: Sequence[Bar]) -> "Series":
        """All of these bars."""
        starts = array("q", [bar.start_at for bar in bars])
        ends = array("q", [bar.end_at for bar in bars])
        return cls(symbol, bars.__getitem__, starts, ends, len(bars))

    def in_step(self, symbol: str, bar: Callable[[int], Bar], until: int) -> "Series":
        """Other bars at the same times, made when they are asked for: those that end by `until`."""
        return Series(symbol, bar, self._starts, self._ends, self.ended(until))

    def __len__(self) -> int:
        return self._count

    def start_at(self, index: int) -> int:
        """When the bar in this place begins (UTC ns)."""
        return self._starts[index]

    def end_at(self, index: int) -> int:
        """When it ends."""
        return self._ends[index]

    def first_from(self, at: int) -> int:
        """The place of the first bar that begins at `at` or later; `len`: none does."""
        return bisect_left(self._starts, at, 0, self._count)

    def begun(self, at: int) -> int:
        """How many bars have begun by `at`, that instant included."""
        return bisect_right(self._starts, at, 0, self._count)

    def ended(self, at: int) -> int:
        """How many bars have ended by `at`."""
        return bisect_right(self._ends, at, 0, self._count)

    def in_progress(self, at: int) -> int | None:
        """The place of the bar that has begun by `at` and not ended, if there is one."""
        index = self.begun(at) - 1
        return index if index >= 0 and at < self._ends[index] else None
