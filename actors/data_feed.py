"""The data feed: checks what the market's adapter brings and publishes it by symbol."""

from collections.abc import Mapping
from typing import TypeAlias

from hydra.actor import SECOND, Actor, Context, unhandled
from hydra.trading.bar_checks import fault_in
from hydra.trading.bars import Bar
from hydra.trading.sessions import SessionTable
from messages.health import HealthReported, ReportHealth
from messages.market import FEED_TOPIC, BarClosed, BarReceived, FeedEnded, bars_topic

Inbox: TypeAlias = BarReceived | FeedEnded | ReportHealth

STALE_AFTER_INTERVALS = 2.5
"""A feed of bars alone is stale when the newest one ended longer ago than this many intervals."""


class DataFeed(Actor[Inbox]):
    """Only bars that follow the last one, end in the past and belong to a known symbol go on."""

    def __init__(self, symbols: tuple[str, ...], sessions: SessionTable, bar_interval: int) -> None:
        self._symbols = frozenset(symbols)
        self._sessions = sessions
        self._bar_interval = bar_interval
        self._since = 0
        self._last: dict[str, Bar] = {}
        self._dropped = 0
        self._bars = 0
        self._ended = False

    def start(self, ctx: Context) -> None:
        self._since = ctx.market_time()  # what came before, this incarnation cannot have seen

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case BarReceived():
                self._take(message.bar, ctx)
            case FeedEnded():
                self._ended = True
                ctx.log("feed_ended", bars=self._bars, dropped=self._dropped)
                ctx.publish(FEED_TOPIC, message)
            case ReportHealth():
                ctx.reply(self._health(ctx.market_time()))
            case _:
                unhandled(message)

    def _take(self, bar: Bar, ctx: Context) -> None:
        fault = self._fault_in(bar, ctx.market_time())
        if fault is not None:
            self._dropped += 1
            ctx.log("bar_dropped", symbol=bar.symbol, start_at=bar.start_at, fault=fault)
            return
        self._last[bar.symbol] = bar
        self._bars += 1
        closed = BarClosed(bar=bar)
        ctx.publish(bars_topic(bar.symbol), closed)
        ctx.publish(FEED_TOPIC, closed)

    def _fault_in(self, bar: Bar, now: int) -> str | None:
        if bar.symbol not in self._symbols:
            return "unknown symbol"
        fault = fault_in(bar.open, bar.high, bar.low, bar.close, bar.volume)
        if fault is not None:
            return fault
        if not bar.start_at < bar.end_at <= now:
            return "it ends before it begins, or in the future"
        last = self._last.get(bar.symbol)
        if last is not None and bar.start_at < last.end_at:
            return f"it does not follow the last one, which ended at {last.end_at}"
        return None

    def _health(self, now: int) -> HealthReported:
        """Stale only while the exchange is open, and long enough that bars must have come."""
        session = self._sessions.at(now)
        if session is None or self._ended:
            return HealthReported(component="feed", is_well=True, detail="no session is open")
        for symbol in sorted(self._symbols):
            last = self._last.get(symbol)
            newest = max(session.open_at, self._since if last is None else last.end_at)
            age = now - newest
            if not age <= STALE_AFTER_INTERVALS * self._bar_interval:
                detail = f"{symbol}: the newest bar is {age / SECOND:.0f} s old"
                return HealthReported(component="feed", is_well=False, detail=detail)
        return HealthReported(component="feed", is_well=True, detail=f"{self._bars} bars")

    def state_view(self) -> Mapping[str, object]:
        """Counts, and the newest close by symbol."""
        return {
            "bars": self._bars,
            "dropped": self._dropped,
            "ended": self._ended,
            "newest_at": max((bar.end_at for bar in self._last.values()), default=None),
            "last_close": {symbol: bar.close for symbol, bar in sorted(self._last.items())},
        }
