"""The execution monitor: measures how well orders get done, and how restless the markets are."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from hydra.actor import MILLISECOND, MINUTE, SECOND, Actor, Context, Ref, unhandled
from hydra.trading import execution_quality
from hydra.trading.exact import plain
from hydra.trading.execution_quality import (
    Accepted,
    End,
    Ended,
    Event,
    Filled,
    QualityState,
    QualityTerms,
    RouterState,
    Sent,
    Withheld,
    executions_of,
    quality,
    recent,
    router_state,
    score,
)
from hydra.trading.execution_watch import router_cause
from hydra.trading.orders import OrderType
from hydra.trading.regimes import Regime, RegimeTerms, RegimeWatch
from messages.control import Halt
from messages.execution import EXECUTION_TOPIC, ROUTER_TOPIC, ExecutionReported, RouterLookedInto
from messages.lifecycle import Replied
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import FEED_TOPIC, BarsClosed, FeedEnded, HistoryReported, ReportHistory
from messages.orders import (
    JUDGEMENTS_TOPIC,
    REPORTS_TOPIC,
    OrderAbsent,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderDenied,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    OrderWithheld,
    Outcome,
    ReportStored,
)

Inbox: TypeAlias = (
    OrderApproved
    | OrderDenied
    | ReportStored
    | BarsClosed
    | FeedEnded
    | LoopRan
    | RouterLookedInto
    | Replied
)
TOPICS = (JUDGEMENTS_TOPIC, REPORTS_TOPIC, FEED_TOPIC, LOOP_TOPIC, ROUTER_TOPIC)
ANSWER_WITHIN = 5 * SECOND
JUDGED_EVERY = 30 * SECOND
"""Machine time. Without any news an order may still grow too old, or wait for too long."""
WRITTEN_EVERY = 15 * MINUTE
"""Market time. So often what was measured of a symbol is written down, if there was anything."""


class MonitorTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered and what counts as bad."""

    quality: QualityTerms
    regimes: RegimeTerms
    bar_age_max: int
    """Market ns: with an older newest bar nobody knows how restless a market is."""


class ExecutionMonitor(Actor[Inbox]):
    """Hears what happens to orders and to prices, and stands in the way of neither.

    It begins anew with each start, and says since when it measures: what came of earlier orders is
    on record, but not how long it took, and what an anomaly has halted stands without it. How long
    something takes is measured in machine time, so that a market that is played faster than it was
    looks no slower; it is the time from the guardian's approval until an outcome was durable.
    """

    def __init__(
        self,
        terms: MonitorTerms,
        symbols: tuple[str, ...],
        guardian: Ref[Halt],
        feed: Ref[ReportHistory],
    ) -> None:
        self._terms = terms
        self._symbols = symbols
        self._guardian = guardian
        self._feed = feed
        self._since = 0
        self._quality = QualityState()
        self._markets: dict[str, RegimeWatch] = {}
        self._regimes: dict[str, Regime] = {}
        self._told: Mapping[str, Regime] = {}
        """All of them, as they were told; the very same again where nothing has changed."""
        self._written_regimes: dict[str, Regime] = {}
        self._router = RouterState.UNTRIED
        self._score: Decimal | None = None
        self._judged_at: int | None = None
        """None: something has happened since."""
        self._unwritten: set[str] = set()
        self._written_at = 0

    def start(self, ctx: Context) -> None:
        self._since = self._written_at = ctx.market_time()
        for topic in TOPICS:
            ctx.subscribe(topic)
        ctx.log("execution_measuring")
        if ctx.incarnation > 1:  # at the first start what the feed will have is still to be told
            question_bars = self._terms.regimes.window + self._terms.regimes.history
            for symbol in self._symbols:
                question = ReportHistory(symbol=symbol, bars=question_bars)
                ctx.ask(self._feed, question, within=ANSWER_WITHIN, tag=symbol)

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case BarsClosed():
                self._see_bars(message, ctx)
            case OrderApproved():
                self._learn(self._sent(message, ctx))
            case ReportStored():
                self._learn(_event_of(message.report, message.decision.symbol, ctx.now()))
            case LoopRan():
                self._look(ctx)
            case Replied(value=HistoryReported() as told):
                for bar in told.bars:
                    self._market(bar.symbol).take(bar)
            case Replied() | OrderDenied():
                pass  # without an answer the regime is known once enough bars have come
            case FeedEnded():
                self._write_all(ctx)
            case RouterLookedInto():
                self._measure_anew(ctx)
            case _:
                unhandled(message)

    def stop(self, ctx: Context, reason: str) -> None:
        """What was measured last is not lost to an orderly end."""
        self._write_all(ctx)

    # Orders

    def _sent(self, approved: OrderApproved, ctx: Context) -> Sent:
        order, intent, now = approved.order, approved.intent, ctx.now()
        # A stop is meant to trade at its own price, however long ago and far from there it began.
        seen = order.stop_price or intent.reference_price or self._last_close(order.symbol)
        return Sent(
            name=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            decided_at=now - max(0, ctx.market_time() - intent.decided_at),
            at=now,
            reference_price=seen,
            bid=None,
            ask=None,
            rests=order.order_type is not OrderType.MARKET,
        )

    def _last_close(self, symbol: str) -> Decimal | None:
        """What an exit that named no price was decided on."""
        market = self._markets.get(symbol)
        close = None if market is None else market.close
        return None if close is None else Decimal(repr(close))

    def _learn(self, event: Event) -> None:
        self._quality = execution_quality.after(self._quality, event, self._terms.quality)
        self._judged_at = None
        if event.symbol in self._quality.orders:
            self._unwritten.add(event.symbol)

    def _measure_anew(self, ctx: Context) -> None:
        self._write_all(ctx)
        self._quality = QualityState()
        self._judge(ctx)
        self._report(self._told, ctx, is_whole=True)

    # Markets

    def _market(self, symbol: str) -> RegimeWatch:
        market = self._markets.get(symbol)
        if market is None:
            market = self._markets[symbol] = RegimeWatch(self._terms.regimes)
        return market

    def _see_bars(self, closed: BarsClosed, ctx: Context) -> None:
        """A regime that is another one is told at once, so that the next entry is judged by it."""
        at, age_max = ctx.market_time(), self._terms.bar_age_max
        changed: dict[str, Regime | None] = {}
        for bar in closed.bars:
            market = self._market(bar.symbol)
            market.take(bar)
            found = market.current(at, age_max)
            if not closed.is_backfill and found is not self._regimes.get(bar.symbol):
                self._take_regime(bar.symbol, found, ctx)
                changed[bar.symbol] = found
        if changed:
            self._report(changed, ctx, is_whole=False)

    def _see_all_regimes(self, ctx: Context) -> None:
        """A market of which no bar comes any more changes without one."""
        at, age_max = ctx.market_time(), self._terms.bar_age_max
        for symbol, market in self._markets.items():
            found = market.current(at, age_max)
            if found is not self._regimes.get(symbol):
                self._take_regime(symbol, found, ctx)
        if self._told != self._regimes:
            self._told = dict(self._regimes)

    def _take_regime(self, symbol: str, regime: Regime | None, ctx: Context) -> None:
        """Written down as well; but that no bar came, as in a night, is no other regime."""
        if regime is None:
            self._regimes.pop(symbol, None)
            return
        self._regimes[symbol] = regime
        was = self._written_regimes.get(symbol)
        if regime is was:
            return
        self._written_regimes[symbol] = regime
        was_word = None if was is None else was.value
        ctx.log("regime_changed", symbol=symbol, regime=regime.value, was=was_word)

    # Telling

    def _look(self, ctx: Context) -> None:
        self._see_all_regimes(ctx)
        if self._judged_at is None or ctx.now() - self._judged_at >= JUDGED_EVERY:
            self._judge(ctx)
        self._report(self._told, ctx, is_whole=True)
        cause = router_cause(self._router, ctx.market_time(), self._why)
        if cause is not None:
            ctx.tell(self._guardian, Halt(cause=cause))
        if self._unwritten and ctx.market_time() - self._written_at >= WRITTEN_EVERY:
            self._write_all(ctx)

    def _judge(self, ctx: Context) -> None:
        terms, now = self._terms.quality, ctx.now()
        executions = recent(executions_of(self._quality), terms, now)
        was, self._router = self._router, router_state(executions, terms, now)
        self._score = score(quality(executions), terms)
        self._judged_at = now
        if self._router is not was:
            ctx.log(
                "router_changed",
                state=self._router.value,
                was=was.value,
                score=self._score,
                orders=len(executions),
            )

    @property
    def _why(self) -> str:
        idle_s = self._terms.quality.idle_ns // SECOND
        if self._router is RouterState.IDLE:
            return f"an order is out, and nothing was heard of any for more than {idle_s} s"
        return (
            f"the quality of execution is {self._score},"
            f" at least {execution_quality.DEGRADED_BELOW} wanted"
        )

    def _report(
        self, changed: Mapping[str, Regime | None], ctx: Context, *, is_whole: bool
    ) -> None:
        told = ExecutionReported(
            at=ctx.market_time(),
            regimes=changed,
            is_whole=is_whole,
            router=self._router,
            score=self._score,
        )
        ctx.publish(EXECUTION_TOPIC, told)

    def _write_all(self, ctx: Context) -> None:
        for symbol in sorted(self._unwritten):
            ctx.log("execution_measured", symbol=symbol, **self._measured(symbol))
        self._unwritten.clear()
        self._written_at = ctx.market_time()

    def _measured(self, symbol: str) -> dict[str, Any]:
        """Of the orders of one symbol that are remembered."""
        found = quality(executions_of(self._quality, symbol))
        median, slippage = found.to_accept.median, found.from_reference
        return {
            "score": score(found, self._terms.quality),
            "orders": found.orders,
            "filled": found.filled,
            "rejected": found.rejected,
            "unknown": found.unknown,
            "slippage_bps": slippage.bps,
            "slippage_usd": plain(slippage.cost) if slippage.orders else None,
            "latency_ms": None if median is None else median // MILLISECOND,
            "fill_rate": _rounded(found.fill_rate),
            "reject_rate": _rounded(found.reject_rate),
        }

    def state_view(self) -> Mapping[str, object]:
        """What is measured, since when, and the regimes that are known."""
        return {
            "since": self._since,
            "router": self._router.value,
            "score": self._score,
            "symbols": {symbol: self._measured(symbol) for symbol in self._quality.orders},
            "regimes": {symbol: each.value for symbol, each in sorted(self._regimes.items())},
            "unmatched": self._quality.unmatched,
        }


def _event_of(report: Outcome, symbol: str, now: int) -> Event:
    """What was reported, as the calculation has it, at the machine time at which it was heard."""
    match report:
        case OrderFilled(fill=fill):
            return Filled(
                name=fill.client_order_id,
                symbol=symbol,
                quantity=fill.quantity,
                price=fill.price,
                at=now,
            )
        case OrderAccepted():
            return Accepted(name=report.client_order_id, symbol=symbol, at=now)
        case OrderWithheld():
            return Withheld(name=report.client_order_id, symbol=symbol)
        case _:
            name, how = report.client_order_id, _ENDS[type(report)]
            return Ended(name=name, symbol=symbol, how=how, at=now)


_ENDS: Mapping[type[Outcome], End] = {
    OrderRejected: End.REJECTED,
    OrderCanceled: End.CANCELED,
    OrderReplaced: End.CANCELED,
    OrderExpired: End.EXPIRED,
    OrderUnknown: End.UNKNOWN,
    OrderAbsent: End.ABSENT,
}


def _rounded(share: Decimal | None) -> Decimal | None:
    return None if share is None else round(share, 4)
