"""The bars of one symbol in the order in which they are told, whole, whoever brought them.

Pure; the feed keeps one for each symbol. While bars are missing, live ones wait here; what was
fetched comes first, and where both have the same bar, the fetched one counts.
"""

from collections.abc import Iterable

from hydra.trading.bars import Bar
from messages.market import BarsReceived

WAITING_MAX = 1_440
"""Live bars that wait. What is pushed out is fetched with the others."""


class BarLine:
    """See the module. `told_until` (UTC ns): the end of the last bar told; None: none was."""

    def __init__(self) -> None:
        self.told_until: int | None = None
        self.is_missing = False
        """Whether anything may be missing after the last bar told, and before those that wait."""
        self._waiting: dict[int, Bar] = {}

    def interrupt(self) -> None:
        """Something may have been missed just now."""
        self.is_missing = True

    def live(self, bar: Bar) -> BarsReceived | None:
        """A bar came on the stream; gives what is to be told of it now.

        None: it waits because something is missing, or it was told before.
        """
        if self.told_until is not None and bar.start_at < self.told_until:
            return None
        if self.told_until is not None and bar.start_at > self.told_until:
            self.is_missing = True  # maybe: a minute in which nobody trades has no bar
        if self.is_missing:
            self._waiting[bar.start_at] = bar
            if len(self._waiting) > WAITING_MAX:
                del self._waiting[min(self._waiting)]
            return None
        self.told_until = bar.end_at
        return BarsReceived(bars=(bar,))

    def fill(self, fetched: Iterable[Bar], news_since: int) -> list[BarsReceived]:
        """All that was missing has been fetched: what is to be told now, in order.

        It is history, but for a newest bar that came on the stream and ends after `news_since`.
        """
        until = self.told_until
        merged = {bar.start_at: bar for bar in self._waiting.values()}
        merged.update((bar.start_at, bar) for bar in fetched)
        bars = [merged[at] for at in sorted(merged) if until is None or at >= until]
        told = []
        for bar in bars:
            is_newest = bar is bars[-1]
            is_news = is_newest and bar.start_at in self._waiting and bar.end_at > news_since
            told.append(BarsReceived(bars=(bar,), is_backfill=not is_news))
        if bars:
            self.told_until = bars[-1].end_at
        self._waiting.clear()
        self.is_missing = False
        return told
