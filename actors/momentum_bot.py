"""A momentum bot: one strategy on one symbol, in its own window, with its own exits."""

from collections import deque
from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import TypeAlias

import msgspec

from hydra.actor import MINUTE, SECOND, Actor, Context, Ref, unhandled
from hydra.trading.bars import Bar
from hydra.trading.exact import multiply
from hydra.trading.exit_rules import ExitRules, exit_reason
from hydra.trading.instruments import is_crypto
from hydra.trading.inventory import FifoInventory, FillBook
from hydra.trading.orders import DecisionKey, Role, Side, TimeInForce
from hydra.trading.sessions import ExchangeSession, SessionTable, Window
from hydra.trading.strategies import STRATEGIES
from hydra.trading.strategies.strategy import Signal, Strategy
from hydra.trading.venue_clock import seen_at
from messages.lifecycle import Replied
from messages.market import (
    BarClosed,
    HistoryDue,
    HistoryReported,
    ReportHistory,
    bars_topic,
)
from messages.orders import (
    OrderAccepted,
    OrderDenied,
    OrderFilled,
    OrderIntent,
    OrderUnknown,
    ReportStored,
    reports_topic,
)
from messages.positions import (
    BOOK_CHANGED_TOPIC,
    BookChanged,
    BookRecovered,
    RecoverBook,
    RecoveryOverdue,
)

Inbox: TypeAlias = (
    BarClosed
    | Replied
    | HistoryDue
    | ReportStored
    | OrderDenied
    | BookChanged
    | BookRecovered
    | RecoveryOverdue
)

RECOVER_WITHIN = 5 * SECOND
HISTORY_WITHIN = 5 * SECOND
HISTORY_AGAIN_AFTER = SECOND
"""The data feed may be starting itself. Nobody fails for want of history: a position needs its bot,
warm or not.
"""
FLAT_BEFORE_CLOSE = 5 * MINUTE
"""On a half day the close comes before `manage_until`: positions are closed this long before it."""
STOP_STEP = Decimal("0.01")
"""What the planned stop is rounded to, away from the price: its risk is not understated."""


class MomentumPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What one bot is configured to do. `manage_window` runs from trade_start to manage_until.

    `flat_before_close` None: the market has no close to be flat before (crypto).
    """

    bot_id: str
    symbol: str
    trade_window: Window
    manage_window: Window
    sessions: SessionTable
    order_notional_usd: Decimal
    quantity_step: Decimal
    """1: whole shares."""
    time_in_force: TimeInForce
    flat_before_close: int | None
    max_trades_per_day: int
    exits: ExitRules
    strategy: str
    parameters: Mapping[str, object]

    def new_strategy(self) -> Strategy:
        """A fresh one, as it is configured; raises `BadParameters`."""
        return STRATEGIES[self.strategy](self.parameters)


class NotRecovered(Exception):
    """The persister did not say what is on record; the bot must not guess its position."""


class MomentumBot(Actor[Inbox]):
    """Decides on closed bars and on what is booked, on nothing else.

    Every decision is taken by `_decide` from the last bar, its signal and the booked state, and it
    runs after each of them changes. So it does not matter whether a bar or the fill that happened
    in it arrives first, and threads decide as virtual time does.

    When it starts, first or again, it asks the data feed for the bars that its strategy has to have
    seen. Until they are there it guards what it holds, by price and time, and enters nothing.
    """

    def __init__(
        self,
        plan: MomentumPlan,
        guardian: Ref[OrderIntent | RecoverBook],
        feed: Ref[ReportHistory],
    ) -> None:
        self._plan = plan
        self._guardian = guardian
        self._feed = feed
        self._strategy = plan.new_strategy()
        self._early: deque[Bar] | None = deque(maxlen=self._strategy.warm_up)
        """Bars that came before history did. None: history is here, the strategy has them all."""
        self._seen_until = 0
        """The end of the newest bar that the strategy has seen."""
        self._book = FillBook(plan.symbol)
        self._bar: Bar | None = None
        self._signal: Signal | None = None
        self._session: ExchangeSession | None = None
        self._working: dict[DecisionKey, Decimal] = {}
        self._signals = 0
        self._entries = 0
        self._recovered: BookRecovered | None = None
        """None: the answer to the last question is not here yet, so nothing is decided."""
        self._questions = 0
        self._last_denial = ""
        self._idle = ""

    def start(self, ctx: Context) -> None:
        ctx.subscribe(bars_topic(self._plan.symbol))
        ctx.subscribe(reports_topic(self._plan.bot_id))
        ctx.subscribe(BOOK_CHANGED_TOPIC)
        self._ask_for_the_book(ctx)
        self._ask_for_history(ctx)

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case BarClosed():
                self._take_bar(message.bar)
                if message.is_backfill:
                    self._bar = None  # history: nobody decides before the next bar that is news
            case Replied(value=HistoryReported(bars=bars)):
                self._take_history(bars)
            case Replied():
                ctx.after(HISTORY_AGAIN_AFTER, HistoryDue())
            case HistoryDue():
                self._ask_for_history(ctx)
            case ReportStored():
                self._take_report(message)
            case OrderDenied():
                self._working.pop(message.intent.decision, None)
                self._last_denial = f"{message.denial.check}: {message.denial.reason}"
                return  # nothing new to decide on: the same wish would be denied again
            case BookChanged():
                self._ask_for_the_book(ctx)
            case BookRecovered():
                if (message.asked_by, message.number) != (ctx.incarnation, self._questions):
                    return  # an earlier question's; the newest is still to be answered
                self._recover(message)
            case RecoveryOverdue():
                if self._recovered is None:
                    raise NotRecovered(f"no answer within {RECOVER_WITHIN // SECOND} s")
            case _:
                unhandled(message)
        if self._bar is not None and self._recovered is not None:
            self._decide(self._bar, ctx)

    def _ask_for_the_book(self, ctx: Context) -> None:
        """At each start, and when an operator changed what is on record."""
        self._recovered = None
        self._questions += 1
        question = RecoverBook(
            bot=self._plan.bot_id,
            reply_to=ctx.me.path,
            asked_by=ctx.incarnation,
            number=self._questions,
        )
        ctx.tell(self._guardian, question)
        ctx.after(RECOVER_WITHIN, RecoveryOverdue())

    def _ask_for_history(self, ctx: Context) -> None:
        question = ReportHistory(symbol=self._plan.symbol, bars=self._strategy.warm_up)
        ctx.ask(self._feed, question, within=HISTORY_WITHIN, tag="history")

    def _take_history(self, history: tuple[Bar, ...]) -> None:
        """What came early follows it, or is its end. A signal counts if its bar is the last one."""
        early, self._early = self._early or (), None
        for bar in (*history, *early):
            self._show(bar, self._plan.sessions.at(bar.start_at))
        if self._bar is None or self._bar.end_at != self._seen_until:
            self._signal = None

    def _take_bar(self, bar: Bar) -> None:
        session = self._plan.sessions.at(bar.start_at)
        if session is not None and session != self._session:
            self._begin_session(session)
        self._bar = bar
        if self._early is None:
            self._signal = None
            self._show(bar, session)
        else:
            self._early.append(bar)

    def _show(self, bar: Bar, session: ExchangeSession | None) -> None:
        """The strategy sees each bar once, in order, also while the book is still unknown."""
        if bar.start_at >= self._seen_until:
            self._seen_until = bar.end_at
            self._signal = self._strategy.on_bar(bar, session)

    def _begin_session(self, session: ExchangeSession) -> None:
        self._session = session
        self._signals = self._entries = 0
        recovered = () if self._recovered is None else self._recovered.orders
        for order in recovered:  # counters survive a restart: they are on record
            if order.decision.session == session.date:
                self._signals = max(self._signals, order.decision.signal)
                self._entries += order.decision.role is Role.ENTRY

    def _take_report(self, stored: ReportStored) -> None:
        decision, report = stored.decision, stored.report
        if decision.symbol != self._plan.symbol:
            return  # an order that an operator adopted for it, in what it does not trade
        match report:
            case OrderAccepted() | OrderUnknown():
                return  # still working, as far as anyone knows
            case OrderFilled():
                self._book.book(report.fill, stored.fee)
                if decision in self._working:
                    self._working[decision] -= report.fill.quantity
                    if self._working[decision] <= 0:
                        del self._working[decision]
            case _:
                self._working.pop(decision, None)

    def _recover(self, recovered: BookRecovered) -> None:
        self._recovered = recovered
        self._book = self._book_in(recovered)
        self._working = {
            order.decision: order.order.quantity - order.filled_quantity
            for order in recovered.orders
            if order.is_open and order.decision.symbol == self._plan.symbol
        }
        if self._session is not None:
            signals, entries = self._signals, self._entries
            self._begin_session(self._session)
            # What was denied since the start is not on record, and counts all the same.
            self._signals = max(self._signals, signals)
            self._entries = max(self._entries, entries)

    def _book_in(self, recovered: BookRecovered) -> FillBook:
        """As the ledger has it. The fills are there to be known again, should one be told twice."""
        symbol = self._plan.symbol
        book = FillBook(symbol)
        for fill in recovered.fills:
            if fill.symbol == symbol:
                book.book(fill)
        held = {each.inventory.symbol: each.inventory for each in recovered.held}
        book.inventory = held.get(symbol, FifoInventory(symbol))
        book.realised = recovered.realised
        return book

    def _decide(self, bar: Bar, ctx: Context) -> None:
        why_not = self._act_on(bar, ctx)
        if why_not != self._idle:
            self._idle = why_not
            if why_not:
                # Only when it changes: that nothing happens is told in a few lines a day.
                ctx.log("nothing_decided", symbol=self._plan.symbol, reason=why_not)

    def _act_on(self, bar: Bar, ctx: Context) -> str:
        """Decide; gives why nothing is wanted, "" if something is."""
        if self._session is None:
            return "no session has begun"
        position = self._sellable
        is_leaving = any(decision.role.reduces for decision in self._working)
        if position > 0 and not is_leaving:
            # Also while the rest of the entry works: what is filled of it is guarded (I30).
            reason = self._reason_to_exit(bar)
            if reason is not None:
                self._intend(Role.EXIT, Side.SELL, position, reason, bar, ctx)
                return ""
        if self._working:
            return "an order is working"
        if position > 0:
            return "it holds a position, and nothing says to close it"
        why_not = "it is short" if position else self._reason_not_to_enter(bar)
        if why_not:
            return why_not
        quantity = self._bought_for(self._plan.order_notional_usd, bar.close)
        if quantity <= 0:
            return "what one entry may buy is less than the smallest quantity"
        self._entries += 1
        self._intend(Role.ENTRY, Side.BUY, quantity, self._plan.strategy, bar, ctx)
        return ""

    @property
    def _sellable(self) -> Decimal:
        """What it holds; of coins in whole steps, since a fee may leave less than one: dust."""
        position, step = self._book.inventory.position, self._plan.quantity_step
        return multiply(position // step, step) if is_crypto(self._plan.symbol) else position

    def _reason_to_exit(self, bar: Bar) -> str | None:
        oldest = self._book.inventory.lots[0]
        average = self._book.inventory.average_price
        assert average is not None, "there is a position"
        rule = exit_reason(
            self._plan.exits,
            entry_price=average,
            opened_at=oldest.opened_at,
            bar=bar,
            at=bar.end_at,
            manage_until_passed=self._is_over(bar.end_at),
        )
        if rule is not None:
            return rule.value
        return "signal" if self._signal is Signal.EXIT_LONG else None

    def _reason_not_to_enter(self, bar: Bar) -> str:
        if self._early is not None:
            return "the bars of before its start are not here yet"
        if self._is_over(bar.end_at):
            return "the session is over, or soon will be"
        if not self._plan.trade_window.contains(bar.end_at):
            return "it is outside its trade window"
        if self._entries >= self._plan.max_trades_per_day:
            return f"it has made its {self._entries} entries of the day"
        return "" if self._signal is Signal.ENTER_LONG else "the strategy gives no signal"

    def _is_over(self, at: int) -> bool:
        """No position is to be held any more: past `manage_until`, or just before a real close."""
        assert self._session is not None
        lead = self._plan.flat_before_close
        soon_closed = lead is not None and at >= self._session.close_at - lead
        return soon_closed or not self._plan.manage_window.contains(at)

    def _bought_for(self, notional_usd: Decimal, price: float) -> Decimal:
        """As much as the notional buys, rounded down to the step: rounding never adds risk."""
        step = self._plan.quantity_step
        steps = (notional_usd / Decimal(repr(price)) / step).to_integral_value(ROUND_FLOOR)
        return multiply(steps, step)

    def _intend(
        self, role: Role, side: Side, quantity: Decimal, reason: str, bar: Bar, ctx: Context
    ) -> None:
        assert self._session is not None
        self._signals += 1
        decision = DecisionKey(
            bot=self._plan.bot_id,
            symbol=self._plan.symbol,
            session=self._session.date,
            signal=self._signals,
            role=role,
        )
        self._working[decision] = quantity
        self._signal = None  # acted on; the next bar brings the next one
        price = Decimal(repr(bar.close))
        stop = self._plan.exits.stop_price(price).quantize(STOP_STEP, ROUND_FLOOR)
        intent = OrderIntent(
            decision=decision,
            side=side,
            quantity=quantity,
            reason=reason,
            decided_at=seen_at(bar.end_at, ctx.market_time()),
            reference_price=price,
            time_in_force=self._plan.time_in_force,
            protective_stop=stop if role is Role.ENTRY and stop > 0 else None,
        )
        ctx.log("order_intended", intent=intent)
        ctx.tell(self._guardian, intent)

    def state_view(self) -> Mapping[str, object]:
        """Position, what is working, counters, and the last bar with its signal."""
        return {
            "position": str(self._book.inventory.position),
            "realised": str(self._book.realised),
            "working": [
                f"{key.role.value} {key.signal}: {left}" for key, left in self._working.items()
            ],
            "entries_today": self._entries,
            "signals_today": self._signals,
            "session": None if self._session is None else self._session.date,
            "last_close": None if self._bar is None else self._bar.close,
            "signal": None if self._signal is None else self._signal.value,
            "last_denial": self._last_denial,
            "idle": self._idle,
            "recovered": self._recovered is not None,
            "has_history": self._early is None,
        }
