"""Keeps the bars of every symbol whole: what the streams missed is fetched before newer ones go on.

Streams bring bars on their own threads; fetching happens on one thread of its own, with a deadline
for each look, so that no stream ever waits for an answer of the broker.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from time import monotonic
from typing import Any

import msgspec

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.venues.alpaca.bar_history import ReadBars, TooMuchMissing, missed_bars, newest_bars
from hydra.venues.alpaca.bar_line import BarLine
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.alpaca.turns import Turns
from messages.market import BarsComplete, BarsMissing

LOOK_EVERY_S = 1.0
PAUSE_MAX_S = 30.0


class FillTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How bars are fetched. Times in seconds."""

    history_bars: int = 0
    """How many of before the first connection are told, of each symbol."""
    bars_max: int = 1_000
    """A symbol that has missed more stays as it is, and says so."""
    fill_within_s: float = 15.0
    history_within_s: float = 60.0
    pause_s: float = 1.0
    """From one look to the next; what comes up meanwhile is fetched together."""


class _Line(BarLine):
    """`interruptions` says whether anything came between, while others were being fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.interruptions = 0
        self.is_told_missing = False
        self.why_given_up = ""
        """More is missing than is fetched; "": it is not given up."""

    def interrupt(self) -> None:
        super().interrupt()
        self.interruptions += 1


class _Group:
    """The symbols that are fetched together."""

    def __init__(self, symbols: tuple[str, ...], read: ReadBars) -> None:
        self.read = read
        self.lines = {symbol: _Line() for symbol in symbols}
        self.next_at = 0.0
        self.failures = 0


class BarFilling:
    """See the module. `groups`: symbols, each with what reads their bars."""

    def __init__(
        self,
        groups: Collection[tuple[tuple[str, ...], ReadBars]],
        terms: FillTerms,
        *,
        market_time: Callable[[], int],
        tell: Callable[[Any], None],
    ) -> None:
        self._terms = terms
        self._market_time = market_time
        self._tell = tell
        self._groups = [_Group(symbols, read) for symbols, read in groups]
        self._lines: Mapping[str, _Line] = {
            symbol: line for group in self._groups for symbol, line in group.lines.items()
        }
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._turns = Turns()
        self._thread = threading.Thread(target=self._run, name="alpaca-bars", daemon=True)

    def start(self) -> None:
        """Begin to fetch what is missing."""
        self._turns.round()
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Fetch nothing more."""
        self._stopping.set()
        self._wanted.set()

    def join(self, within_s: float) -> bool:
        """Wait for the end of the thread; False if it has not ended in time."""
        if self._thread.ident is not None:
            self._thread.join(within_s)
        return not self._thread.is_alive()

    @property
    def idle_s(self) -> float:
        """See `Turns.idle_s`."""
        return self._turns.idle_s

    @property
    def is_idle(self) -> bool:
        """Whether nothing is missing that is still being fetched."""
        with self._lock:
            lines = self._lines.values()
            return not any(line.is_missing and not line.why_given_up for line in lines)

    def knows(self, symbol: str) -> bool:
        """Whether bars of it are kept."""
        return symbol in self._lines

    def begun(self, symbols: Collection[str]) -> None:
        """Their stream is connected for the first time: fetch what indicators begin with."""
        if self._terms.history_bars:
            self.interrupted(symbols, "bars of before the start are fetched")

    def interrupted(self, symbols: Collection[str], reason: str) -> None:
        """Bars of these may have been missed up to now."""
        with self._lock:
            for symbol in symbols:
                self._lines[symbol].interrupt()
            self._tell_missing(symbols, reason)
        self._wanted.set()

    def live(self, bar: Bar) -> None:
        """A bar came on its stream. It is told at once, or after those that it came before."""
        with self._lock:
            line = self._lines[bar.symbol]
            received = line.live(bar)
            if received is not None:
                self._tell(received)
        if line.is_missing:
            self._wanted.set()

    def report(self) -> None:
        """Tell once more what is missing: who listens now may not be who was told."""
        with self._lock:
            missing: dict[str, list[str]] = {}
            for symbol, line in self._lines.items():
                if line.is_told_missing:
                    reason = line.why_given_up or "bars are still fetched"
                    missing.setdefault(reason, []).append(symbol)
            for reason, symbols in missing.items():
                self._tell(BarsMissing(symbols=tuple(symbols), reason=reason))

    # What the thread does

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._turns.round()
            pauses = [self._look(group) for group in self._groups]
            self._turns.round(LOOK_EVERY_S)
            self._wanted.wait(min((LOOK_EVERY_S, *pauses)))
            self._wanted.clear()

    def _look(self, group: _Group) -> float:
        """Fetch what the group misses, if it is time; gives for how long nothing is to be done."""
        with self._lock:
            missing = {
                symbol: line.interruptions
                for symbol, line in group.lines.items()
                if line.is_missing and not line.why_given_up
            }
        if not missing:
            return LOOK_EVERY_S
        left = group.next_at - monotonic()
        if left > 0:
            return left
        try:
            is_whole = self._fill(group, missing)
        except ReadFailed as failed:
            is_whole = False
            with self._lock:
                self._tell_missing(missing, str(failed))
        group.failures = 0 if is_whole else group.failures + 1
        pause = min(PAUSE_MAX_S, self._terms.pause_s * 2.0 ** min(group.failures, 10))
        group.next_at = monotonic() + pause
        return pause

    def _fill(self, group: _Group, missing: Mapping[str, int]) -> bool:
        """Fetch and tell; False if some of it was in vain, because more was missed meanwhile."""
        terms, now = self._terms, self._market_time()
        told_until = {
            symbol: until
            for symbol in missing
            if (until := group.lines[symbol].told_until) is not None
        }
        beginning = [symbol for symbol in missing if symbol not in told_until]
        found: dict[str, tuple[Bar, ...] | TooMuchMissing] = dict.fromkeys(beginning, ())
        if beginning and terms.history_bars:
            self._turns.round(terms.history_within_s)
            found.update(
                newest_bars(group.read, beginning, now, terms.history_bars, terms.history_within_s)
            )
        if told_until:
            self._turns.round(terms.fill_within_s)
            found.update(
                missed_bars(group.read, told_until, now, terms.bars_max, terms.fill_within_s)
            )
        self._turns.round()
        with self._lock:
            return self._tell_found(group, missing, found)

    def _tell_found(
        self,
        group: _Group,
        missing: Mapping[str, int],
        found: Mapping[str, tuple[Bar, ...] | TooMuchMissing],
    ) -> bool:
        complete, is_whole = [], True
        for symbol, interruptions in missing.items():
            line, bars = group.lines[symbol], found[symbol]
            if line.interruptions != interruptions:
                is_whole = False
                continue
            if isinstance(bars, TooMuchMissing):
                line.why_given_up, line.is_told_missing = str(bars), False
                self._tell_missing([symbol], str(bars))
                continue
            for received in line.fill(bars, self._market_time() - MINUTE):
                self._tell(received)
            if line.is_told_missing:
                line.is_told_missing = False
                complete.append(symbol)
        if complete:
            self._tell(BarsComplete(symbols=tuple(complete)))
        return is_whole

    def _tell_missing(self, symbols: Collection[str], reason: str) -> None:
        """Once for each symbol, until its bars are complete: a failure that lasts is one."""
        news = tuple(symbol for symbol in symbols if not self._lines[symbol].is_told_missing)
        for symbol in news:
            self._lines[symbol].is_told_missing = True
        if news:
            self._tell(BarsMissing(symbols=news, reason=reason))
