"""The signal bot: trades what an outside strategy asks for, each signal once, within limits.

What a signal leads to bears the signal's number for ever, so it can be on record only once. The
day's count is on record before the order that it counts, and the stop is on record with its order.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice
from typing import TypeAlias

import msgspec

from actors.bot_record import BotRecord, NotRecovered, recover, take_report
from hydra.actor import SECOND, Actor, Context, Ref, unhandled
from hydra.ports import Signals
from hydra.trading.account_day import trading_day
from hydra.trading.bars import Bar
from hydra.trading.exit_rules import EXIT_AGAIN_AFTER, ExitRules, exit_reason
from hydra.trading.hit_stops import (
    SIGNALS_STOP,
    HitStop,
    hit_among,
    hit_now,
    hit_stops_of,
)
from hydra.trading.orders import DecisionKey, OrderType, RecordedOrder, Role, Side, TimeInForce
from hydra.trading.protection import Guard
from hydra.trading.sessions import SessionTable, Window
from hydra.trading.signal_wishes import Moment, Refuse, TakeOut, Wait, Wish, verdict_on
from hydra.trading.symbol_book import SymbolBook
from hydra.trading.trade_signals import (
    DayCount,
    SignalLimits,
    TradeSignal,
    number_of,
    refusal,
)
from messages.control import Recorded, RecordValue
from messages.lifecycle import Replied
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import BarClosed, bars_topic
from messages.orders import (
    CancelIntent,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    ReportStored,
    client_order_id_of,
    reports_topic,
)
from messages.positions import (
    BOOK_CHANGED_TOPIC,
    BookChanged,
    BookRecovered,
    RecoverBook,
    RecoverSignals,
    RecoverValue,
    RecoveryOverdue,
    SignalsRecovered,
    ValueRecovered,
)
from messages.protection import GUARDS_TOPIC, GuardReported
from messages.signals import SignalDone, SignalNote, SignalRead, SignalsDue

Inbox: TypeAlias = (
    SignalRead
    | SignalsDue
    | BarClosed
    | ReportStored
    | OrderDenied
    | BookChanged
    | BookRecovered
    | RecoveryOverdue
    | LoopRan
    | Recorded
    | Replied
)

RECOVER_WITHIN = 5 * SECOND
WAITING_LOOK_EVERY = SECOND
SIGNALS_ASKED_MAX = 500
"""In one question, which takes the persister some milliseconds."""
WHOLE_SHARES = Decimal(1)


class SignalPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What the signal bot is configured to do. Durations in ns.

    `price_age_max`: a bar that closed longer ago gives no price. `flat_before_close`: how long
    before the market's real close nothing is held any more.
    """

    bot_id: str
    limits: SignalLimits
    trade_window: Window
    manage_window: Window
    sessions: SessionTable
    exits: ExitRules
    price_age_max: int
    flat_before_close: int

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it may trade, in order."""
        return tuple(sorted(self.limits.symbols))


class SignalBotRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What of the bot must survive it, besides orders and fills."""

    count: DayCount = DayCount()


class SignalBot(Actor[Inbox]):
    """Acts on a signal when it knows what is on record, and a fresh price; till then it waits.

    Positions are guarded on every bar and in every loop, by the bot's exit rules and by the stop
    that the signal brought, whichever is tighter. Nothing of this bridge's own keeps an exit from
    being made.
    """

    def __init__(
        self,
        plan: SignalPlan,
        guardian: Ref[OrderIntent | CancelIntent | RecoverBook],
        persister: Ref[RecordValue | RecoverSignals | RecoverValue],
        signals: Signals,
    ) -> None:
        self._plan = plan
        self._guardian = guardian
        self._persister = persister
        self._signals = signals
        self._books = {
            symbol: SymbolBook(plan.bot_id, symbol, WHOLE_SHARES) for symbol in plan.symbols
        }
        self._bars: dict[str, Bar] = {}
        self._record = BotRecord(plan.bot_id, guardian)
        self._own: SignalBotRecord | None = None
        """None: it is not known yet, so nothing is decided."""
        self._decided: dict[int, DecisionKey] = {}
        """Every decision of this life, and those that the record told of, by the number."""
        self._stops: dict[DecisionKey, Decimal] = {}
        """Where what an entry buys is given up: for as long as any of it is held, and whenever its
        fills are heard.
        """
        self._unknown: dict[str, TradeSignal] = {}
        """Signals of which the record has not said yet whether they led to something."""
        self._asked: tuple[TradeSignal, ...] = ()
        """Those of them that it is being asked about."""
        self._waiting: dict[str, TradeSignal] = {}
        """Those that nothing came of yet, and may."""
        self._under_way: dict[DecisionKey, TradeSignal] = {}
        self._guarded: frozenset[str] = frozenset()
        """What it last said that it guards."""
        self._hits: dict[str, HitStop] = {}
        """What is held of which a stop was hit: it is sold wherever the price goes."""
        self._exit_again_at: dict[str, int] = {}
        self._ended: set[str] = set()
        """Signals of this life that nothing more comes of."""

    def start(self, ctx: Context) -> None:
        for symbol in self._plan.symbols:
            ctx.subscribe(bars_topic(symbol))
        ctx.subscribe(reports_topic(self._plan.bot_id))
        ctx.subscribe(BOOK_CHANGED_TOPIC)
        ctx.subscribe(LOOP_TOPIC)
        self._record.ask(ctx)
        question = RecoverValue(key=self._key)
        ctx.ask(self._persister, question, within=RECOVER_WITHIN, tag="own")
        self._signals.report()

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case SignalRead():
                self._hear(message.signal)
            case BarClosed():
                if not message.is_backfill:
                    self._see(message.bar, ctx)
            case ReportStored():
                self._take_report(message, ctx)
            case OrderDenied():
                self._denied(message, ctx)
                return  # nothing new to decide on: the same wish would be denied again
            case BookChanged():
                self._exit_again_at.clear()  # what kept an exit in may be out of the way
                self._record.ask(ctx)
            case BookRecovered():
                if self._record.is_answer(message, ctx):
                    self._recover(message, ctx)
            case RecoveryOverdue():
                self._record.check_in_time()
            case Replied(tag="own"):
                self._recover_own(message)
            case Replied():
                if not self._learn(message):
                    return  # it is asked again when it looks at what waits
            case SignalsDue() | LoopRan() | Recorded():
                pass  # what waits and what is held are looked at below
            case _:
                unhandled(message)
        if self._record.is_known and self._own is not None:
            self._look_up(ctx)
            self._act(ctx)

    @property
    def _key(self) -> str:
        return f"signal_bot/{self._plan.bot_id}"

    def _hear(self, signal: TradeSignal) -> None:
        if signal.id in self._ended or signal.id in self._waiting:
            return
        if all(signal.id != each.id for each in self._under_way.values()):
            self._unknown.setdefault(signal.id, signal)

    def _look_up(self, ctx: Context) -> None:
        """Ask the record what signals led to: a number is used once, however long ago that was.

        It is asked when the book is known, and not before: so the answer has what an earlier life
        told the guardian, and what it does not have can only be a decision of this life.
        """
        if not self._asked and self._unknown:
            self._asked = tuple(islice(self._unknown.values(), SIGNALS_ASKED_MAX))
            numbers = tuple(number_of(each.id) for each in self._asked)
            question = RecoverSignals(bot=self._plan.bot_id, numbers=numbers)
            ctx.ask(self._persister, question, within=RECOVER_WITHIN, tag="signals")

    def _learn(self, reply: Replied) -> bool:
        """Whether there was an answer: till there is, nothing comes of a signal."""
        asked, self._asked = self._asked, ()
        found = reply.value
        if not isinstance(found, SignalsRecovered):
            return False
        for number, decision in found.decisions.items():
            self._decided.setdefault(number, decision)
        for signal in asked:
            del self._unknown[signal.id]
            self._waiting[signal.id] = signal
        return True

    def _recover(self, message: BookRecovered, ctx: Context) -> None:
        recover(self._books.values(), message)
        hits = hit_stops_of(message.hit_stops)
        for symbol, book in self._books.items():
            hit = hit_among(hits, self._plan.bot_id, book.inventory)
            if hit is not None:
                self._hits[symbol] = hit
        recorded = {order.decision: order for order in message.orders}
        for decision, order in recorded.items():
            self._decided[decision.signal] = decision
            if order.protective_stop is not None:
                self._stops[decision] = order.protective_stop
        for decision, signal in tuple(self._under_way.items()):
            if decision not in self._books[decision.symbol].working:
                self._note_end(signal, decision, recorded.get(decision), ctx)

    def _note_end(
        self,
        signal: TradeSignal,
        decision: DecisionKey,
        found: RecordedOrder | None,
        ctx: Context,
    ) -> None:
        """Its order is over, and no report said so: it went with whoever failed over it."""
        if found is None:
            # The record tells all of its newest sessions: of an older one, it tells what is open.
            is_of_now = decision.session == self._books[decision.symbol].session
            reason = (
                "it was lost before it was on record"
                if is_of_now
                else f"its order of {decision.session} is over, or never was"
            )
            self._note(signal, SignalDone.ENDED, ctx, reason=reason)
            return
        order, filled = found.order, found.filled_quantity
        self._note(
            signal,
            SignalDone.COMPLETE if filled >= order.quantity else SignalDone.ENDED,
            ctx,
            reason=f"on record it is over: {filled:f} of {order.quantity:f} executed",
            client_order_id=order.client_order_id,
        )

    def _recover_own(self, reply: Replied) -> None:
        found = reply.value
        if not isinstance(found, ValueRecovered):
            raise NotRecovered(reply.error or f"no answer within {RECOVER_WITHIN // SECOND} s")
        if self._own is None:
            text = found.value or "{}"
            self._own = msgspec.json.decode(text, type=SignalBotRecord)

    def _keep(self, own: SignalBotRecord, ctx: Context) -> None:
        """On record before whatever follows: the persister is told first."""
        if own != self._own:
            self._own = own
            value = msgspec.json.encode(own).decode()
            ctx.tell(self._persister, RecordValue(key=self._key, value=value))

    def _see(self, bar: Bar, ctx: Context) -> None:
        if self._plan.sessions.at(bar.start_at) is not None:
            self._bars[bar.symbol] = bar
            at = max(bar.end_at, ctx.market_time())
            self._books[bar.symbol].begin_session(trading_day(self._plan.sessions, at))

    def _take_report(self, stored: ReportStored, ctx: Context) -> None:
        decision, report = stored.decision, stored.report
        book = self._books.get(decision.symbol)
        if book is None:
            return  # an order that an operator adopted for it, in what it does not trade
        take_report(book, stored)
        is_bought = isinstance(report, OrderFilled) and decision.role is Role.ENTRY
        if is_bought and self._decided.get(decision.signal) != decision:
            self._record.ask(ctx)  # by an order of long ago: where it is given up is on record
        signal = self._under_way.get(decision)
        if signal is None:
            return
        name = client_order_id_of(report)
        if isinstance(report, OrderFilled):
            fill = report.fill
            is_over = decision not in book.working
            done = SignalDone.COMPLETE if is_over else SignalDone.FILLED
            self._note(
                signal,
                done,
                ctx,
                client_order_id=name,
                quantity=fill.quantity,
                price=fill.price,
            )
        elif decision not in book.working:
            said = getattr(report, "reason", "")
            reason = f"{type(report).__name__}{said and f': {said}'}"
            self._note(signal, SignalDone.ENDED, ctx, reason=reason, client_order_id=name)

    def _denied(self, message: OrderDenied, ctx: Context) -> None:
        decision, denial = message.intent.decision, message.denial
        self._books[decision.symbol].ended(decision)
        if decision.role is Role.EXIT:
            self._exit_again_at[decision.symbol] = ctx.market_time() + EXIT_AGAIN_AFTER
        signal = self._under_way.get(decision)
        if signal is not None:
            reason = f"{denial.check}: {denial.reason}"
            self._note(signal, SignalDone.DENIED, ctx, reason=reason)

    def _act(self, ctx: Context) -> None:
        for symbol, bar in self._bars.items():
            self._guard(self._books[symbol], bar, ctx)
        for signal in tuple(self._waiting.values()):
            self._act_on(signal, ctx)
        if self._waiting or self._unknown:
            ctx.after(WAITING_LOOK_EVERY, SignalsDue())

    def _act_on(self, signal: TradeSignal, ctx: Context) -> None:
        number = number_of(signal.id)
        if number in self._decided:
            self._take_up(signal, self._decided[number], ctx)
            return
        plan, at = self._plan, ctx.market_time()
        own = self._own
        assert own is not None, "the caller has seen to it"
        count = own.count.in_session(trading_day(plan.sessions, at))
        why_not = refusal(signal, plan.limits, count, at=at, closed=self._signals.why_closed())
        if why_not is not None:
            self._note(signal, SignalDone.REFUSED, ctx, reason=why_not)
            return
        book, is_open = self._books[signal.symbol], plan.sessions.at(at) is not None
        if is_open:
            book.begin_session(count.session)
        moment = Moment(
            price=self._price_of(signal.symbol, at),
            market_open=is_open,
            window_open=plan.trade_window.contains(at) and not self._is_over(at),
            count=count,
        )
        match verdict_on(signal, book, moment, plan.limits, plan.exits):
            case Refuse(why=why):
                self._note(signal, SignalDone.REFUSED, ctx, reason=why)
            case Wait():
                pass  # until it is too old, which `refusal` finds
            case TakeOut(orders=orders, why=why):
                self._take_out(orders, why, ctx)
            case Wish() as wish:
                self._wish(signal, wish, count, ctx)

    def _take_up(self, signal: TradeSignal, decision: DecisionKey, ctx: Context) -> None:
        """It was acted on in an earlier life; what of its order is still to come is followed."""
        book = self._books.get(decision.symbol)
        if book is not None and decision in book.working:
            del self._waiting[signal.id]
            self._under_way[decision] = signal
        else:
            reason = f"its decision of {decision.session} is on record"
            self._note(signal, SignalDone.REPEATED, ctx, reason=reason)

    def _wish(self, signal: TradeSignal, wish: Wish, count: DayCount, ctx: Context) -> None:
        book = self._books[signal.symbol]
        assert book.session is not None
        decision = DecisionKey(
            bot=self._plan.bot_id,
            symbol=signal.symbol,
            session=book.session,
            signal=number_of(signal.id),
            role=signal.action.role,
        )
        if wish.stop_price is not None:
            self._keep(SignalBotRecord(count=count.with_entry(wish.notional_usd)), ctx)
            self._stops[decision] = wish.stop_price
            book.entries += 1
        self._decided[decision.signal] = decision
        self._under_way[decision] = signal
        self._note(signal, SignalDone.WANTED, ctx, reason=signal.reason, quantity=wish.quantity)
        is_limited = signal.limit_price is not None
        bar = self._bars.get(signal.symbol)
        self._intend(
            OrderIntent(
                decision=decision,
                side=signal.action.side,
                quantity=wish.quantity,
                reason=f"signal {signal.id}",
                decided_at=ctx.market_time(),
                reference_price=None if bar is None else _close(bar),
                order_type=OrderType.LIMIT if is_limited else OrderType.MARKET,
                # At once or not at all: no entry is left working that nobody asks for any more.
                time_in_force=TimeInForce.IOC if is_limited else TimeInForce.DAY,
                limit_price=signal.limit_price,
                protective_stop=wish.stop_price,
            ),
            ctx,
        )

    def _guard(self, book: SymbolBook, bar: Bar, ctx: Context) -> None:
        """Ask the exit rules about what is held, and say that they were asked (I30)."""
        held, at, reason = book.sellable, ctx.market_time(), None
        if held > 0:
            reason = self._reason_to_exit(book, bar, at)
        self._report_guard(book, bar, held, ctx)
        if held <= 0:
            return
        is_closed = book.session is None or self._plan.sessions.at(at) is None
        was_denied = at < self._exit_again_at.get(book.symbol, 0)
        if book.is_leaving or is_closed or was_denied:
            return
        if reason is not None and book.resting:
            self._take_out((each.decision for each in book.resting), reason, ctx)
        elif reason is not None:
            decision = book.next_decision(Role.EXIT)
            self._decided[decision.signal] = decision
            self._intend(
                OrderIntent(
                    decision=decision,
                    side=Side.SELL,
                    quantity=held,
                    reason=reason,
                    decided_at=at,
                    reference_price=_close(bar),
                ),
                ctx,
            )

    def _take_out(self, orders: Iterable[DecisionKey], why: str, ctx: Context) -> None:
        """They go before a sale."""
        for decision in orders:
            ctx.tell(self._guardian, CancelIntent(decision=decision, reason=why))

    def _reason_to_exit(self, book: SymbolBook, bar: Bar, at: int) -> str | None:
        reason = self._reason_by_rules(book, bar, at)
        before = self._hits.pop(book.symbol, None)
        hit = hit_now(before, reason, self._plan.bot_id, book.inventory)
        if hit is None:
            return reason
        self._hits[book.symbol] = hit
        return hit.reason

    def _reason_by_rules(self, book: SymbolBook, bar: Bar, at: int) -> str | None:
        average, stop = book.inventory.average_price, self._stop_of(book)
        assert average is not None, "there is a position"
        opened_at = book.inventory.lots[0].opened_at
        if stop is not None and bar.end_at > opened_at and Decimal(repr(bar.low)) <= stop:
            return SIGNALS_STOP
        rule = exit_reason(
            self._plan.exits,
            entry_price=average,
            opened_at=opened_at,
            bar=bar,
            at=at,
            manage_until_passed=self._is_over(at),
        )
        return None if rule is None else rule.value

    def _stop_of(self, book: SymbolBook) -> Decimal | None:
        """The tightest of those that what is held was bought with. What came otherwise has none."""
        stops = (self._stops.get(decision) for decision in book.held_by)
        return max((stop for stop in stops if stop is not None), default=None)

    def _report_guard(self, book: SymbolBook, bar: Bar, held: Decimal, ctx: Context) -> None:
        """At each look; once more with zero when nothing is left."""
        if held <= 0 and book.symbol not in self._guarded:
            return
        self._guarded = self._guarded | {book.symbol} if held > 0 else self._guarded - {book.symbol}
        session = self._plan.sessions.at(bar.start_at)
        lots = book.inventory.lots
        guard = Guard(
            name="exits",
            bot=self._plan.bot_id,
            symbol=book.symbol,
            quantity=max(held, Decimal(0)),
            since=lots[0].opened_at if lots else bar.end_at,
            until=bar.end_at if session is None else session.close_at,
            looked_at=max(ctx.market_time(), bar.end_at),
            price_at=bar.end_at,
            stop_price=self._stop_of(book),
            hit=self._hits.get(book.symbol) if held > 0 else None,
        )
        ctx.publish(GUARDS_TOPIC, GuardReported(guard=guard))

    def _intend(self, intent: OrderIntent, ctx: Context) -> None:
        self._books[intent.decision.symbol].intended(intent.decision, intent.quantity)
        ctx.log("order_intended", intent=intent)
        ctx.tell(self._guardian, intent)

    def _price_of(self, symbol: str, at: int) -> Decimal | None:
        bar = self._bars.get(symbol)
        if bar is None or not at - bar.end_at <= self._plan.price_age_max:
            return None
        return _close(bar)

    def _is_over(self, at: int) -> bool:
        """No position is to be held any more: past `manage_until`, or just before a real close."""
        session = self._plan.sessions.at(at)
        is_soon_closed = session is None or at >= session.close_at - self._plan.flat_before_close
        return is_soon_closed or not self._plan.manage_window.contains(at)

    def _note(
        self,
        signal: TradeSignal,
        done: SignalDone,
        ctx: Context,
        *,
        reason: str = "",
        client_order_id: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> None:
        self._waiting.pop(signal.id, None)
        if done.is_final:
            self._ended.add(signal.id)
            self._under_way = {
                decision: each for decision, each in self._under_way.items() if each.id != signal.id
            }
        self._signals.note(
            SignalNote(
                id=signal.id,
                at=ctx.market_time(),
                done=done,
                symbol=signal.symbol,
                action=signal.action.value,
                reason=reason,
                client_order_id=client_order_id,
                quantity=quantity,
                price=price,
            )
        )
        ctx.log(
            "signal_settled", id=signal.id, done=done.value, symbol=signal.symbol, reason=reason
        )

    def state_view(self) -> Mapping[str, object]:
        """What it holds and waits for, and what is left of the day."""
        own = self._own
        return {
            "books": {symbol: book.state_view() for symbol, book in self._books.items()},
            "waiting": sorted((*self._unknown, *self._waiting)),
            "under_way": sorted(signal.id for signal in self._under_way.values()),
            "orders_today": None if own is None else own.count.orders,
            "notional_today": None if own is None else f"{own.count.notional_usd:f}",
            "stops": {
                symbol: f"{stop:f}"
                for symbol, book in self._books.items()
                if (stop := self._stop_of(book)) is not None
            },
            "closed": self._signals.why_closed(),
            "recovered": self._record.is_known and own is not None,
        }


def _close(bar: Bar) -> Decimal:
    return Decimal(repr(bar.close))
