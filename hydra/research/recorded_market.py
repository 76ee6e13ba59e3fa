"""The market that a recorded session saw: the bars that came to it, each as it came first.

With them a session can be replayed canonically (`hydra.research.replaying`), whatever its venue was
and whether or not anybody has its bars in a file.
"""

from __future__ import annotations

from pathlib import Path

from hydra.ops.flight import FOLDER, Description
from hydra.research.recorded import description_in
from hydra.research.replay_data import DataFile, ReplayData
from hydra.research.window import DataSpan, ReplayWindow
from hydra.runtime.contents import message_of
from hydra.runtime.recording import Entry, events_in
from hydra.trading.bars import Bar
from hydra.venues.simulated.market_data import MarketData
from messages.market import BarsReceived


class NoRecordedMarket(Exception):
    """The recording has no bars with which a session could be replayed. One line."""


def recorded_market(bundle: Path, *, history: int) -> ReplayData:
    """The bars of the session of this bundle; `history`: so many of each symbol of before it began.

    Raises `NoRecordedMarket`, `NotRecorded`, `RecordingDamaged` and `NotReadable`.
    """
    flight = bundle / FOLDER
    description = description_in(flight)
    first: dict[tuple[str, int], Bar] = {}
    for event in events_in(flight):
        if isinstance(event, Entry):
            for bar in _bars_in(event):
                first.setdefault((bar.symbol, bar.start_at), bar)
    bars = sorted(first.values(), key=lambda bar: (bar.end_at, bar.symbol))
    inside = tuple(bar for bar in bars if bar.start_at >= description.at)
    before = tuple(bar for bar in bars if bar.end_at <= description.at)
    if not inside:
        raise NoRecordedMarket(f"{flight}: found no bar of the session; wanted some to replay")
    return _data(bundle.name, description, inside, _newest(before, history))


def _bars_in(event: Entry) -> tuple[Bar, ...]:
    """Bars that came from outside. The actors' own messages of them say the same again."""
    payload = event.payload
    if event.kind != BarsReceived.__name__ or payload is None or payload.body is None:
        return ()
    message = message_of(payload.module, event.kind, payload.body)
    return message.bars if isinstance(message, BarsReceived) else ()


def _newest(bars: tuple[Bar, ...], count: int) -> tuple[Bar, ...]:
    left: dict[str, int] = {}
    kept: list[Bar] = []
    for bar in reversed(bars):
        left[bar.symbol] = left.get(bar.symbol, count) - 1
        if left[bar.symbol] >= 0:
            kept.append(bar)
    return tuple(reversed(kept))


def _data(
    session: str, description: Description, bars: tuple[Bar, ...], history: tuple[Bar, ...]
) -> ReplayData:
    facts = description.facts
    symbols = tuple(sorted({bar.symbol for bar in bars}))
    market = MarketData(
        bars=bars,
        sessions=facts.sessions,
        symbols=symbols,
        origin=f"bars as session {session} received them; {facts.origin}",
    )
    span = DataSpan(start=min(bar.start_at for bar in bars), end=bars[-1].end_at)
    return ReplayData(
        window=ReplayWindow(start=span.start, end=span.end, timezone_label="UTC"),
        market=market,
        history=history,
        span=span,
        files=(DataFile(name=f"{session}/{FOLDER}", digest=market.digest),),
        bars_read=len(bars) + len(history),
        without_bars=tuple(symbol for symbol in facts.symbols if symbol not in symbols),
    )
