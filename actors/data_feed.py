"""The data feed: checks what the market's adapter brings and publishes it by symbol."""

from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from hydra.actor import MINUTE, SECOND, Actor, Context, unhandled
from hydra.ports import PriceFeed
from hydra.trading.bar_checks import fault_in
from hydra.trading.bars import Bar, late_after
from hydra.trading.contract_shares import left_for_own
from hydra.trading.corporate_actions import NEVER, cuts_of, newest_cut
from hydra.trading.instruments import is_crypto
from hydra.trading.price_watch import MUTE_MAX, NOT_FOLLOWED, PriceWatch
from hydra.trading.quotes import Quote
from hydra.trading.sessions import SessionTable, hours_of
from hydra.trading.venue_clock import seen_at
from messages.corporate_actions import ACTIONS_TOPIC, ActionsReported
from messages.health import HealthReported, ReportHealth
from messages.market import (
    FEED_TOPIC,
    SYMBOLS_TOPIC,
    BarClosed,
    BarsClosed,
    BarsComplete,
    BarsMissing,
    BarsReceived,
    FeedEnded,
    HistoryReported,
    PricesDue,
    QuoteChanged,
    QuoteReceived,
    ReportHistory,
    SymbolReported,
    TradingStatusReceived,
    bars_topic,
    quotes_topic,
)
from messages.message import Message
from messages.options import CONTRACT_QUOTES_TOPIC, FollowContracts
from messages.streams import StreamConnected, StreamGap, StreamLost

Inbox: TypeAlias = (
    BarsReceived
    | QuoteReceived
    | TradingStatusReceived
    | BarsMissing
    | BarsComplete
    | StreamConnected
    | StreamLost
    | StreamGap
    | PricesDue
    | FeedEnded
    | FollowContracts
    | ActionsReported
    | ReportHealth
    | ReportHistory
)

NO_HISTORY: Mapping[str, int] = MappingProxyType({})
QUOTE_DROPS_TOLD_EVERY = MINUTE
"""Of each symbol. A broken feed can bring thousands of odd quotes in a second."""

GAPS_TOLD_EVERY = SECOND

NO_PLUGINS: Mapping[str, int] = MappingProxyType({})


def newest_quote(message: Message) -> str | None:
    """What `MailboxSpec.conflate` goes by: of waiting quotes only the newest of a symbol matters;
    bars, and all else, each stand for themselves.
    """
    return message.quote.symbol if isinstance(message, QuoteReceived) else None


class DataFeed(Actor[Inbox]):
    """Only bars that follow the last one, end in the past and belong to a known symbol go on.

    With a `feed` of streams there are quotes as well, and a price can be old within seconds: then
    each symbol is watched, and whether it can be relied on is published (`SymbolReported`).
    """

    def __init__(
        self,
        symbols: tuple[str, ...],
        sessions: SessionTable,
        bar_interval: int,
        feed: PriceFeed | None = None,
        price_age_max: int = 0,
        history: Mapping[str, int] = NO_HISTORY,
        known: Iterable[Bar] = (),
        contract_shares: Mapping[str, int] = NO_PLUGINS,
    ) -> None:
        """`price_age_max`: machine time for which a price of a stream counts.

        `history`: how many bars of each symbol are kept for bots that start. `known`: those of
        before it, in order. `contract_shares`: how many contracts each plug-in may have followed.
        """
        self._symbols = frozenset(symbols)
        self._sessions = sessions
        self._feed = feed
        self._late_max = late_max = late_after(bar_interval)
        """A feed of bars alone is stale when the newest one ended longer ago than this."""
        self._prices = (
            PriceWatch(feed.streams, age_max=price_age_max, late_max=late_max) if feed else None
        )
        self._since = 0
        self._last: dict[str, Bar] = {}
        self._history = {symbol: deque[Bar](maxlen=bars) for symbol, bars in history.items()}
        for bar in known:
            self._keep(bar)
        self._cuts: Mapping[str, tuple[int, ...]] = {}
        """When (market time) each symbol becomes another thing, by a split say, or has lately."""
        self._next_cut_at = NEVER
        self._begun: dict[str, int] = {}
        """Since when no price of before counts any more, where that is later than our start."""
        self._dropped = 0
        self._bars = 0
        self._quotes = 0
        self._quotes_dropped = 0
        self._drops_untold: dict[str, int] = {}
        self._drops_told_at: dict[str, int] = {}
        self._gap_told_at: int | None = None
        self._followed: dict[str, tuple[str, ...]] = {}
        """The contracts that each bot wants quotes of."""
        self._contracts: frozenset[str] = frozenset()
        self._contract_shares = contract_shares
        self._refused: set[str] = set()
        """Bots that wanted more than they may have when they last said it."""
        self._ended = False

    def start(self, ctx: Context) -> None:
        ctx.subscribe(ACTIONS_TOPIC)
        self._since = ctx.market_time()  # what came before, this incarnation cannot have seen
        if self._feed is not None:
            ctx.every(SECOND, PricesDue())
            self._see_how_old(ctx)
            self._feed.report()  # a stream may have come up before this incarnation did

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case BarsReceived():
                self._take(message, ctx)
            case QuoteReceived():
                self._take_quote(message.quote, ctx)
            case PricesDue():
                self._see_how_old(ctx)
            case FeedEnded():
                self._ended = True
                ctx.log("feed_ended", bars=self._bars, dropped=self._dropped)
                ctx.publish(FEED_TOPIC, message)
            case ActionsReported():
                self._cuts = cuts_of(message.spells)
                self._begin_anew(ctx.market_time())
            case FollowContracts():
                self._follow(message, ctx)
            case ReportHealth():
                ctx.reply(self._health(ctx))
            case ReportHistory():
                ctx.reply(self._newest(message.symbol, message.bars, ctx.market_time()))
            case (
                TradingStatusReceived()
                | BarsMissing()
                | BarsComplete()
                | StreamConnected()
                | StreamLost()
                | StreamGap()
            ):
                self._hear(message, ctx)
            case _:
                unhandled(message)

    def _take(self, received: BarsReceived, ctx: Context) -> None:
        is_backfill, now = received.is_backfill, ctx.market_time()
        if now >= self._next_cut_at:
            self._begin_anew(now)
        good: list[Bar] = []
        for bar in received.bars:
            if is_backfill and bar.start_at < self._cut_of(bar.symbol, now):
                continue  # of another thing, as before a split: no indicator goes by both
            fault = self._fault_in(bar, now)
            if self._prices is not None:
                fault = self._fault_in_price(self._prices, bar, fault, is_backfill, ctx)
            if fault is not None:
                self._dropped += 1
                ctx.log("bar_dropped", symbol=bar.symbol, start_at=bar.start_at, fault=fault)
                continue
            self._keep(bar)
            good.append(bar)
            ctx.publish(bars_topic(bar.symbol), BarClosed(bar=bar, is_backfill=is_backfill))
        if good:
            self._bars += len(good)
            ctx.publish(FEED_TOPIC, BarsClosed(bars=tuple(good), is_backfill=is_backfill))

    def _fault_in_price(
        self, prices: PriceWatch, bar: Bar, fault: str | None, is_backfill: bool, ctx: Context
    ) -> str | None:
        """What is wrong with the bar, if something is, by what its stream told before."""
        if fault is not None:
            prices.nonsense(ctx.now())
        elif is_backfill:
            prices.history(bar)
        else:
            fault = prices.bar(bar, ctx.now())
        if fault is None:
            self._tell_changes(ctx, bar.symbol)  # that it may be entered, before what is decided on
        return fault

    def _keep(self, bar: Bar) -> None:
        self._last[bar.symbol] = bar
        kept = self._history.get(bar.symbol)
        if kept is not None:
            kept.append(bar)

    def _fault_in(self, bar: Bar, now: int) -> str | None:
        if bar.symbol not in self._symbols:
            return "unknown symbol"
        fault = fault_in(bar.open, bar.high, bar.low, bar.close, bar.volume)
        if fault is not None:
            return fault
        # Of bars that are played to us the clock is ours, and none of them lies ahead.
        end_at = bar.end_at if self._feed is None else seen_at(bar.end_at, now)
        if not (bar.start_at < bar.end_at and end_at <= now):
            return "it ends before it begins, or in the future"
        last = self._last.get(bar.symbol)
        if last is not None and bar.start_at < last.end_at:
            return f"it does not follow the last one, which ended at {last.end_at}"
        return None

    def _newest(self, symbol: str, number: int, now: int) -> HistoryReported:
        """Of one that has become another thing, what came since."""
        cut_at = self._cut_of(symbol, now)
        kept = tuple(bar for bar in self._history.get(symbol, ()) if bar.start_at >= cut_at)
        return HistoryReported(bars=kept[max(0, len(kept) - number) :])

    def _begin_anew(self, now: int) -> None:
        """What has become another thing has no price yet: those that were told are of before."""
        for symbol in self._cuts:
            cut_at = self._cut_of(symbol, now)
            if self._prices is not None and cut_at > self._begun.get(symbol, self._since):
                self._begun[symbol] = cut_at
                self._prices.began_anew(symbol, cut_at)
        cuts = [cut for each in self._cuts.values() for cut in each if cut > now]
        self._next_cut_at = min(cuts, default=NEVER)

    def _cut_of(self, symbol: str, now: int) -> int:
        """Since when it has been what it is now (market time); 0: as far as is known, always."""
        return newest_cut(self._cuts.get(symbol, ()), now)

    # What only streams bring

    def _take_quote(self, quote: Quote, ctx: Context) -> None:
        prices = self._prices
        fault = "no stream tells of quotes"
        if prices is not None:
            if ctx.market_time() >= self._next_cut_at:
                self._begin_anew(ctx.market_time())
            fault = prices.quote(quote, ctx.now(), ctx.market_time()) or ""
        if fault:
            if fault is not NOT_FOLLOWED:
                self._drop_quote(quote, fault, ctx)
            return
        self._quotes += 1
        self._tell_changes(ctx, quote.symbol)
        changed = QuoteChanged(quote=quote)
        if quote.symbol in self._contracts:
            ctx.publish(CONTRACT_QUOTES_TOPIC, changed)  # first who judges by it, then who decides
        ctx.publish(quotes_topic(quote.symbol), changed)

    def _follow(self, wish: FollowContracts, ctx: Context) -> None:
        """Bots say it again and again, so that it holds after a restart of this actor too."""
        feed, prices = self._feed, self._prices
        if feed is None or prices is None:
            return  # there are no quotes here
        most = self._contract_shares.get(wish.bot, left_for_own(self._contract_shares))
        self._tell_refused(wish, most, ctx)
        self._followed[wish.bot] = wish.symbols[:most]
        wanted = frozenset(symbol for each in self._followed.values() for symbol in each)
        if wanted == self._contracts:
            return
        self._contracts = wanted
        symbols = tuple(sorted(wanted))
        gone = prices.follow(feed.contract_stream, symbols, ctx.now(), ctx.market_time())
        feed.follow(symbols)
        ctx.log("contracts_followed", symbols=symbols)
        for symbol in gone:  # whoever holds it unready has nothing more to wait for
            reported = SymbolReported(
                symbol=symbol, why=None, detail="not followed any more", at=ctx.market_time()
            )
            ctx.publish(SYMBOLS_TOPIC, reported)
        self._tell_changes(ctx)

    def _tell_refused(self, wish: FollowContracts, most: int, ctx: Context) -> None:
        """Once, until it wants no more than it may have."""
        if len(wish.symbols) <= most:
            self._refused.discard(wish.bot)
        elif wish.bot not in self._refused:
            self._refused.add(wish.bot)
            ctx.log(
                "contracts_refused",
                bot=wish.bot,
                wanted=len(wish.symbols),
                followed=len(self._contracts),
                most=most,
            )

    def _drop_quote(self, quote: Quote, fault: str, ctx: Context) -> None:
        self._quotes_dropped += 1
        # What nobody asked for is one: there may be any number of symbols in nonsense.
        symbol = quote.symbol if quote.symbol in self._symbols | self._contracts else "unknown"
        untold = self._drops_untold.get(symbol, 0) + 1
        told_at = self._drops_told_at.get(symbol)
        if told_at is not None and ctx.now() - told_at < QUOTE_DROPS_TOLD_EVERY:
            self._drops_untold[symbol] = untold
            return
        self._drops_untold[symbol], self._drops_told_at[symbol] = 0, ctx.now()
        ctx.log("quotes_dropped", symbol=symbol, at=quote.at, fault=fault, number=untold)

    def _hear(
        self,
        message: TradingStatusReceived
        | BarsMissing
        | BarsComplete
        | StreamConnected
        | StreamLost
        | StreamGap,
        ctx: Context,
    ) -> None:
        """What makes symbols unready, or ready again."""
        prices = self._prices
        if prices is None:
            return  # nobody asked for streams, so nothing rests on them
        match message:
            case TradingStatusReceived():
                self._hear_status(message, prices, ctx)
            case BarsMissing():
                prices.bars_missing(message.symbols, message.reason)
                ctx.log("bars_missing", symbols=message.symbols, reason=message.reason)
            case BarsComplete():
                prices.bars_missing(message.symbols, "")
                ctx.log("bars_complete", symbols=message.symbols)
            case StreamConnected():
                prices.stream_began(message.stream, message.connection, ctx.market_time())
                ctx.log("stream_connected", stream=message.stream, connection=message.connection)
            case StreamLost():
                prices.stream_ended(message.stream, message.reason, message.is_refused, ctx.now())
                ctx.log("stream_lost", stream=message.stream, reason=message.reason)
            case StreamGap():
                prices.gap(ctx.now())
                self._tell_gap(message, ctx)
        self._tell_changes(ctx)

    def _tell_gap(self, gap: StreamGap, ctx: Context) -> None:
        if self._gap_told_at is None or ctx.now() - self._gap_told_at >= GAPS_TOLD_EVERY:
            self._gap_told_at = ctx.now()
            ctx.log("stream_gap", stream=gap.stream, reason=gap.reason, raw=gap.raw)

    def _hear_status(self, status: TradingStatusReceived, prices: PriceWatch, ctx: Context) -> None:
        words = f"{status.code}: {status.reason}" if status.reason else status.code
        said = f"the exchange says {words}"
        now = ctx.market_time()
        at = now if status.at is None else status.at
        fault = prices.status(status.symbol, status.trades, said, at, now)
        ctx.log(
            "trading_status",
            symbol=status.symbol,
            trades=status.trades,
            words=words,
            at=at,
            fault=fault or "",
        )

    def _see_how_old(self, ctx: Context) -> None:
        assert self._prices is not None, "else nothing is due"
        is_open = self._sessions.at(ctx.market_time()) is not None
        self._prices.session(ctx.now(), is_open=is_open, has_ended=self._ended)
        self._renew_mute(self._prices, ctx)
        self._tell_changes(ctx)

    def _renew_mute(self, prices: PriceWatch, ctx: Context) -> None:
        """A connection that only answers pings would keep trading halted until somebody came."""
        for stream in prices.mute(ctx.now()):
            assert self._feed is not None, "its streams are watched"
            reason = f"it is connected, and no price came for {MUTE_MAX // SECOND} s"
            ctx.log("stream_renewed", stream=stream, reason=reason)
            self._feed.renew(stream, reason)

    def _tell_changes(self, ctx: Context, symbol: str | None = None) -> None:
        assert self._prices is not None, "else nothing changes"
        if symbol is not None and not self._prices.knows(symbol):
            return
        for change in self._prices.changes(ctx.now(), symbol):
            why = None if change.why is None else change.why.value
            ctx.log("symbol_reported", symbol=change.symbol, why=why, detail=change.detail)
            reported = SymbolReported(
                symbol=change.symbol, why=change.why, detail=change.detail, at=ctx.market_time()
            )
            ctx.publish(SYMBOLS_TOPIC, reported)

    # How it is

    def _health(self, ctx: Context) -> HealthReported:
        """Stale only while the symbol trades, and long enough that prices must have come."""
        now = ctx.market_time()
        if self._prices is not None:
            return self._health_of_streams(self._prices, ctx)
        trading = {
            symbol: session
            for symbol in sorted(self._symbols)
            if (session := hours_of(symbol, self._sessions).at(now)) is not None
        }
        if not trading or self._ended:
            return HealthReported(component="feed", is_well=True, detail="no session is open")
        for symbol, session in trading.items():
            last = self._last.get(symbol)
            newest = self._since if last is None else last.end_at
            if not is_crypto(symbol):  # a coin's day begins without a pause
                newest = max(newest, session.open_at)
            age = now - newest
            if not age <= self._late_max:
                detail = f"{symbol}: the newest bar is {age / SECOND:.0f} s old"
                return HealthReported(component="feed", is_well=False, detail=detail)
        return HealthReported(component="feed", is_well=True, detail=f"{self._bars} bars")

    def _health_of_streams(self, prices: PriceWatch, ctx: Context) -> HealthReported:
        self._see_how_old(ctx)
        fault = prices.fault(ctx.now())
        detail = fault or f"{self._quotes} quotes, {self._bars} bars"
        return HealthReported(component="feed", is_well=fault is None, detail=detail)

    def state_view(self) -> Mapping[str, object]:
        """Counts, the newest close by symbol, and which symbols are not to be entered."""
        view: dict[str, object] = {
            "bars": self._bars,
            "dropped": self._dropped,
            "ended": self._ended,
            "newest_at": max((bar.end_at for bar in self._last.values()), default=None),
            "last_close": {symbol: bar.close for symbol, bar in sorted(self._last.items())},
        }
        if self._prices is not None:
            view |= {
                "quotes": self._quotes,
                "quotes_dropped": self._quotes_dropped,
                "gaps": self._prices.gaps,
                "unready": dict(self._prices.unready),
            }
        return view
