"""A momentum bot: one strategy on one symbol, in its own window, with its own exits."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import TypeAlias

import msgspec

from actors.bot_record import HISTORY_AGAIN_AFTER, BotRecord, ask_for_history, recover, take_report
from hydra.actor import MINUTE, SECOND, Actor, Context, Ref, unhandled
from hydra.trading.bars import Bar, late_after
from hydra.trading.denied_entries import DeniedEntries
from hydra.trading.exact import multiply
from hydra.trading.exit_rules import ExitReason, ExitRules, exit_reason
from hydra.trading.hit_stops import HitStop, hit_among, hit_now, hit_stops_of
from hydra.trading.orders import DecisionKey, OrderType, Role, Side, TimeInForce
from hydra.trading.protection import Guard
from hydra.trading.resting_stop import (
    FOR_A_WHILE,
    Hold,
    Leave,
    Place,
    RestingStop,
    TakeOut,
    Wanted,
    asked_out_key,
    next_step,
    stop_on_step,
)
from hydra.trading.sessions import ExchangeSession, SessionTable, Window
from hydra.trading.situation import PriceStep
from hydra.trading.steady import SteadyHours, SteadyWindow
from hydra.trading.strategies.strategy import Signal, Strategy, StrategyFactory
from hydra.trading.strategy_feed import StrategyFeed
from hydra.trading.symbol_book import ZERO, SymbolBook
from hydra.trading.trail import Trail, highest_on_record, to_keep, trail_key, trail_of
from hydra.trading.venue_clock import seen_at
from messages.control import Recorded, RecordValue
from messages.lifecycle import Replied
from messages.loops import LOOP_TOPIC, LoopRan
from messages.market import BarClosed, HistoryDue, HistoryReported, ReportHistory, bars_topic
from messages.message import Message
from messages.orders import (
    CancelIntent,
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
from messages.protection import GUARDS_TOPIC, GuardReported

Inbox: TypeAlias = (
    BarClosed
    | Replied
    | HistoryDue
    | ReportStored
    | OrderDenied
    | BookChanged
    | BookRecovered
    | RecoveryOverdue
    | LoopRan
    | Recorded
)

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
    bar_interval: int
    """How long the market's bars last, ns."""
    order_notional_usd: Decimal
    quantity_step: Decimal
    """1: whole shares."""
    time_in_force: TimeInForce
    flat_before_close: int | None
    max_trades_per_day: int
    max_concurrent_positions: int
    """So many entries may be open at once. They are managed as one position."""
    exits: ExitRules
    price_steps: tuple[PriceStep, ...]
    """Of the symbol's stop prices, lowest first; none: no stop order rests at the venue, and the
    exit rules are looked after in the engine alone.
    """
    price_collar_pct: Decimal | None = Decimal(5)
    """So far from the market a stop may rest (the guardian's check); None: wherever."""
    strategy: str
    """By name, and what makes one of these parameters."""
    strategy_factory: StrategyFactory
    parameters: Mapping[str, object]

    @property
    def warm_ups(self) -> Mapping[str, int]:
        """What it trades, and of how many bars its strategy wants to be shown at the start."""
        return {self.symbol: self.new_strategy().warm_up}

    def new_strategy(self) -> Strategy:
        """A fresh one, as it is configured; raises `BadParameters`."""
        return self.strategy_factory(self.parameters)


class MomentumBot(Actor[Inbox]):
    """Decides on closed bars and on what is booked, on nothing else.

    Every decision is taken by `_decide` from the last bar, its signal and the booked state, and it
    runs after each of them changes. So it does not matter whether a bar or the fill that happened
    in it arrives first, and threads decide as virtual time does. Where no bar comes for long, what
    needs none (the time that a position may be held, and until when) is looked after each loop.

    What it holds is under a stop order that rests at the venue (`resting_stop`), where the plan
    has one; its own exit rules look at every bar all the same, and it tells of each such look.

    When it starts, first or again, it asks the data feed for the bars that its strategy has to have
    seen. Until they are there it guards what it holds, by price and time, and enters nothing.
    """

    def __init__(
        self,
        plan: MomentumPlan,
        guardian: Ref[OrderIntent | CancelIntent | RecoverBook],
        feed: Ref[ReportHistory],
        persister: Ref[RecordValue],
    ) -> None:
        self._plan = plan
        self._guardian = guardian
        self._persister = persister
        self._feed = feed
        self._strategy = StrategyFeed(plan.new_strategy(), plan.sessions)
        self._hours = SteadyHours(plan.sessions)
        self._trade_window = SteadyWindow(plan.trade_window)
        self._manage_window = SteadyWindow(plan.manage_window)
        self._record = BotRecord(plan.bot_id, guardian)
        self._book = SymbolBook(plan.bot_id, plan.symbol, plan.quantity_step)
        self._stop = RestingStop()
        self._denials = DeniedEntries()
        self._bar: Bar | None = None
        self._looked_at = 0
        """Market time of the newest look: the bar's end, or later where no bar came for long."""
        self._highest: Decimal | None = None
        """The highest price since the entry, before the last bar; None: that of the entry."""
        self._trail: Trail | None = None
        """What of that is on record, or on its way there."""
        self._hit: HitStop | None = None
        """A stop of what is held was hit: it is sold wherever the price goes; None: none was."""
        self._session: ExchangeSession | None = None
        self._guard: Guard | None = None
        """What was last told of what guards the position; None: that nothing does, or nothing."""
        self._last_denial = ""
        self._idle = ""

    def start(self, ctx: Context) -> None:
        ctx.subscribe(bars_topic(self._plan.symbol))
        ctx.subscribe(reports_topic(self._plan.bot_id))
        ctx.subscribe(BOOK_CHANGED_TOPIC)
        ctx.subscribe(LOOP_TOPIC)
        self._record.ask(ctx)
        self._ask_for_history(ctx)

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case BarClosed():
                self._take_bar(message.bar)
                if message.is_backfill:
                    self._highest = self._highest_until_now()  # a trailing stop follows it, too
                    self._bar = None  # history: nobody decides before the next bar that is news
            case Replied(value=HistoryReported(bars=bars)):
                self._strategy.take_history(bars)
            case Replied():
                ctx.after(HISTORY_AGAIN_AFTER, HistoryDue())
            case HistoryDue():
                self._ask_for_history(ctx)
            case ReportStored():
                self._take_report(message, ctx)
            case LoopRan() if self._bar is None:
                self._protect_unseen(message, ctx)
                return  # nothing else is decided before a bar that is news
            case LoopRan():
                if not self._is_late(message.at):
                    return  # bars decide
                self._looked_at = message.at
            case OrderDenied():
                self._denied(message, ctx)
                return  # nothing new to decide on: the same wish would be denied again
            case BookChanged():
                self._stop.way_may_be_free()
                self._record.ask(ctx)
            case BookRecovered():
                if not self._record.is_answer(message, ctx):
                    return  # an earlier question's; the newest is still to be answered
                self._recover(message)
            case Recorded():
                return  # nothing waits for what it keeps on record
            case RecoveryOverdue():
                self._record.check_in_time()
            case _:
                unhandled(message)
        if self._bar is not None and self._record.is_known:
            self._decide(self._bar, ctx)

    def _recover(self, message: BookRecovered) -> None:
        recover((self._book,), message)
        self._stop.found(self._book.resting, message.asked_out)
        hits, held = hit_stops_of(message.hit_stops), self._book.inventory
        self._hit = hit_among(hits, self._plan.bot_id, held) or self._hit
        self._trail = trail_of(message.trail)
        highest = highest_on_record(self._trail, held)
        if highest is not None:
            self._highest = max(highest, self._highest or highest)

    def _ask_for_history(self, ctx: Context) -> None:
        ask_for_history(self._feed, self._plan.symbol, self._strategy.warm_up, ctx)

    def _take_bar(self, bar: Bar) -> None:
        self._highest = self._highest_until_now()
        self._begin(self._hours.at(bar.start_at))
        self._bar, self._looked_at = bar, bar.end_at
        self._strategy.take_bar(bar)

    def _begin(self, session: ExchangeSession | None) -> None:
        if session is None or session is self._session:
            return
        if self._book.begin_session(session.date):
            self._session = session

    def _is_late(self, at: int) -> bool:
        """Whether it is time to look without a bar, because none has come for long."""
        if self._bar is None or at - self._bar.end_at <= late_after(self._plan.bar_interval):
            return False
        session = self._hours.at(at)
        if session is None or at - self._looked_at < self._plan.bar_interval:
            return False
        self._begin(session)
        return True

    def _take_report(self, stored: ReportStored, ctx: Context) -> None:
        decision, report = stored.decision, stored.report
        if decision.symbol != self._plan.symbol:
            return  # an order that an operator adopted for it, in what it does not trade
        take_report(self._book, stored)
        if decision.role is Role.ENTRY:
            self._denials.passed()
        is_over = not isinstance(report, _LIVES)
        if (
            decision.role is Role.PROTECT
            and is_over
            and self._stop.ended(decision, self._looked_at)
        ):
            self._stop_is_lost(decision, report, ctx)
        if isinstance(report, OrderAccepted) and not self._book.is_own(decision):
            self._record.ask(ctx)  # somebody trades in its name: what works is on record

    def _stop_is_lost(self, decision: DecisionKey, end: Message, ctx: Context) -> None:
        ctx.log(
            "protective_order_lost",
            decision=decision,
            report=type(end).__name__,
            failures=self._stop.failures,
        )

    def _denied(self, message: OrderDenied, ctx: Context) -> None:
        decision, denial = message.intent.decision, message.denial
        self._book.denied(decision)
        self._last_denial = f"{denial.check}: {denial.reason}"
        match decision.role:
            case Role.PROTECT if denial.check in FOR_A_WHILE:
                self._stop.held_off(self._looked_at)
            case Role.PROTECT:
                self._stop.denied(self._looked_at)
                self._stop_is_lost(decision, message, ctx)
            case Role.ENTRY:
                self._denials.denied(self._looked_at)
            case _:
                pass

    def _decide(self, bar: Bar, ctx: Context) -> None:
        if self._book.is_idle:
            why_not = self._act_idle(bar, ctx)
            if self._guard is not None:
                self._tell_of_guard(bar, ctx)  # that it guards nothing any more
        else:
            why_not = self._act(bar, ctx)
            self._tell_of_guard(bar, ctx)
            self._keep_trail(ctx)
        if why_not != self._idle:
            self._idle = why_not
            if why_not:
                # Only when it changes: that nothing happens is told in a few lines a day.
                ctx.log("nothing_decided", symbol=self._plan.symbol, reason=why_not)

    def _act_idle(self, bar: Bar, ctx: Context) -> str:
        """Decide where nothing is held and nothing works; gives why not to enter, "" if it does."""
        self._nothing_is_held()
        self._strategy.is_out()
        return NO_SESSION if self._session is None else self._enter_anew(bar, ctx)

    def _act(self, bar: Bar, ctx: Context) -> str:
        """Decide; gives why nothing is wanted, "" if something is."""
        held, why_out, why_stop = self._book.sellable, None, ExitReason.STOP_LOSS.value
        if held <= 0 and not self._book.working_as(Role.PROTECT):
            self._nothing_is_held()
        if self._session is None:
            return NO_SESSION
        if held <= 0 and not self._book.working:
            self._strategy.is_out()
            return self._enter(held, bar, ctx)  # what is left is dust, or is owed
        level, highest = None, self._highest_until_now()
        if held > 0:
            # Also while the rest of the entry works: what is filled of it is guarded (I30).
            why_out = self._reason_to_exit(bar)
            level, why_stop = self._stop_level(highest)
        wanted = Wanted(
            wants_out=why_out is not None,
            level=level,
            highest=highest or Decimal(0),
            may_place=self._stop.may_place(self._looked_at),
            waits_for_entry=not self._bar_saw_the_position(bar),
            price=_close_of(bar),
            collar_pct=self._plan.price_collar_pct,
        )
        match next_step(self._book, wanted):
            case Leave():
                assert why_out is not None, "nothing else wants out"
                self._intend(Role.EXIT, Side.SELL, held, why_out, _close_of(bar), ctx)
                return ""
            case Place(quantity=quantity, price=price):
                close = _close_of(bar)
                self._intend(Role.PROTECT, Side.SELL, quantity, why_stop, close, ctx, stop=price)
                return ""
            case TakeOut(orders=orders, why=why):
                self._take_out(orders, why, ctx)
                return why
            case Hold(why=why):
                return why or self._enter(held, bar, ctx)

    def _protect_unseen(self, loop: LoopRan, ctx: Context) -> None:
        """Place the stop that what it holds lacks since a restart: that needs no bar, and the next
        one may be a minute away. What else is to be done about the position, bars decide.
        """
        session = self._hours.at(loop.at)
        may_try = loop.passed and self._record.is_known and not self._stop.failures
        if session is None or not may_try or loop.at - self._looked_at < UNSEEN_AGAIN_AFTER:
            return
        self._begin(session)
        average = self._book.average_price
        if average is None or self._is_over(loop.at):
            return
        highest = self._highest_until_now() or average
        level, why = self._stop_level(highest)
        wanted = Wanted(wants_out=False, level=level, highest=highest, waits_for_entry=True)
        step = next_step(self._book, wanted)
        if isinstance(step, Place):
            self._looked_at = loop.at
            self._intend(Role.PROTECT, Side.SELL, step.quantity, why, average, ctx, stop=step.price)

    def _nothing_is_held(self) -> None:
        self._stop.nothing_is_held()
        self._highest = None

    def _enter(self, held: Decimal, bar: Bar, ctx: Context) -> str:
        """Enter if there is a reason to; gives why not, "" if it does."""
        if self._book.working_as(Role.ENTRY):
            return "an order is working"
        if held > 0 and self._book.positions >= self._plan.max_concurrent_positions:
            return "it holds a position, and nothing says to close it"
        if self._book.working:
            return "its stop rests at the venue, which takes no entry beside it"
        return "it is short" if held < 0 else self._enter_anew(bar, ctx)

    def _enter_anew(self, bar: Bar, ctx: Context) -> str:
        """Enter where nothing is in the way but the rules; gives why not, "" if it does."""
        why_not = self._reason_not_to_enter(bar)
        if why_not:
            return why_not
        quantity = self._bought_for(self._plan.order_notional_usd, bar.close)
        if quantity <= 0:
            return "what one entry may buy is less than the smallest quantity"
        self._intend(Role.ENTRY, Side.BUY, quantity, self._plan.strategy, _close_of(bar), ctx)
        return ""

    def _reason_to_exit(self, bar: Bar) -> str | None:
        held = self._book.inventory
        reason = self._reason_by_rules(bar)
        self._hit = hit_now(self._hit, reason, self._plan.bot_id, held)
        if self._hit is not None:
            return self._hit.reason
        wants_out = self._strategy.wants_out(held.lots[0].opened_at)
        return "signal" if reason is None and wants_out else reason

    def _reason_by_rules(self, bar: Bar) -> str | None:
        oldest = self._book.inventory.lots[0]
        average = self._book.average_price
        assert average is not None, "there is a position"
        rule = exit_reason(
            self._plan.exits,
            entry_price=average,
            opened_at=oldest.opened_at,
            bar=bar,
            at=self._looked_at,
            manage_until_passed=self._is_over(self._looked_at),
            highest=self._highest,
        )
        if self._stop.is_overdue(self._looked_at):
            return ExitReason.STOP_LOSS.value
        if rule in _AT_A_STOP:
            stops = self._book.working_as(Role.PROTECT)
            if self._stop.has_still_to_fill(stops, bar, self._looked_at):
                return None
        return None if rule is None else rule.value

    def _stop_level(self, highest: Decimal | None) -> tuple[Decimal | None, str]:
        """Where a stop is to rest now, and which rule it is of; None: none is to.

        `highest`: see `_highest_until_now`.
        """
        average = self._book.average_price
        assert average is not None, "there is a position"
        price, rule = self._plan.exits.resting_price(average, highest or average)
        return stop_on_step(price, self._plan.price_steps), rule.value

    def _trailing_price(self) -> Decimal | None:
        """Where the trailing stop is now; None: the other one is the nearer, or none trails."""
        if self._plan.exits.trailing_stop_pct is None:
            return None
        average, highest = self._book.average_price, self._highest_until_now()
        if average is None or highest is None:
            return None
        price, rule = self._plan.exits.resting_price(average, highest)
        return price if rule is ExitReason.TRAILING_STOP else None

    def _highest_until_now(self) -> Decimal | None:
        """The highest price since the entry, the last bar's included; None if nothing is held."""
        average = self._book.average_price
        if average is None:
            return None
        highest = max(average, self._highest or average)
        if self._bar is None or not self._bar_saw_the_position(self._bar):
            return highest
        return max(highest, Decimal(repr(self._bar.high)))

    def _keep_trail(self, ctx: Context) -> None:
        if self._plan.exits.trailing_stop_pct is None:
            return
        highest = self._highest_until_now()
        trail = to_keep(self._trail, self._plan.exits, self._book.inventory, highest)
        if trail is not None:
            self._trail = trail
            key = trail_key(self._plan.bot_id)
            ctx.tell(self._persister, RecordValue(key=key, value=trail.text))

    def _bar_saw_the_position(self, bar: Bar) -> bool:
        lots = self._book.inventory.lots
        return bool(lots) and bar.end_at > lots[0].opened_at

    def _take_out(self, orders: tuple[DecisionKey, ...], why: str, ctx: Context) -> None:
        at = self._looked_at
        due = [each for each in orders if not self._stop.is_asked(each, at)]  # once a look will do
        asked, key = self._stop.to_record(), asked_out_key(self._plan.bot_id)
        if asked is not None:
            ctx.tell(self._persister, RecordValue(key=key, value=asked))
        for decision in due:
            ctx.tell(self._guardian, CancelIntent(decision=decision, reason=why))

    def _tell_of_guard(self, bar: Bar, ctx: Context) -> None:
        """What the exit rules guard, and that they have looked: whenever one of the two is new.

        They are for a long position. A short one (it was assigned, say) is left to the exit bot.
        """
        held = max(self._book.position, ZERO)
        if self._session is None or (not held and self._guard is None):
            return
        lots = self._book.inventory.lots
        guard = Guard(
            name="exits",
            bot=self._plan.bot_id,
            symbol=self._plan.symbol,
            quantity=held,
            since=lots[0].opened_at if lots else self._looked_at,
            until=self._session.close_at,
            looked_at=self._looked_at,
            price_at=bar.end_at,
            stop_price=self._trailing_price(),
            hit=self._hit if held else None,
        )
        if guard != self._guard:
            self._guard = guard if held else None
            ctx.publish(GUARDS_TOPIC, GuardReported(guard=guard))

    def _reason_not_to_enter(self, bar: Bar) -> str:
        if not self._strategy.has_history:
            return "the bars of before its start are not here yet"
        if self._looked_at > bar.end_at:
            return "no bar has come for long"
        if bar.start_at < self._book.stopped_at:
            return "it was stopped out in this bar, or since"
        if self._is_over(bar.end_at):
            return "the session is over, or soon will be"
        if not self._trade_window.contains(bar.end_at):
            return "it is outside its trade window"
        if self._book.entries >= self._plan.max_trades_per_day:
            return f"it has made its {self._book.entries} entries of the day"
        if denied := self._denials.why_not(bar.end_at):
            return denied
        wish = self._strategy.entry(self._book.entered_at)
        return "" if wish is Signal.ENTER_LONG else "the strategy gives no signal"

    def _is_over(self, at: int) -> bool:
        """No position is to be held any more: past `manage_until`, or just before a real close."""
        assert self._session is not None
        lead = self._plan.flat_before_close
        soon_closed = lead is not None and at >= self._session.close_at - lead
        return soon_closed or not self._manage_window.contains(at)

    def _bought_for(self, notional_usd: Decimal, price: float) -> Decimal:
        """As much as the notional buys, rounded down to the step: rounding never adds risk."""
        step = self._plan.quantity_step
        steps = (notional_usd / Decimal(repr(price)) / step).to_integral_value(ROUND_FLOOR)
        return multiply(steps, step)

    def _intend(
        self,
        role: Role,
        side: Side,
        quantity: Decimal,
        reason: str,
        price: Decimal,
        ctx: Context,
        *,
        stop: Decimal | None = None,
    ) -> None:
        """`price`: the last that it knows."""
        decision = self._book.next_decision(role)
        self._book.intended(decision, quantity, stop)
        self._strategy.acted()
        given_up = self._plan.exits.stop_price(price).quantize(STOP_STEP, ROUND_FLOOR)
        intent = OrderIntent(
            decision=decision,
            side=side,
            quantity=quantity,
            reason=reason,
            decided_at=seen_at(self._looked_at, ctx.market_time()),
            reference_price=price,
            order_type=OrderType.MARKET if stop is None else OrderType.STOP,
            # A position can outlive its day, and the engine: then its stop has to as well.
            time_in_force=self._plan.time_in_force if stop is None else TimeInForce.GTC,
            stop_price=stop,
            protective_stop=given_up if role is Role.ENTRY and given_up > 0 else None,
        )
        ctx.log("order_intended", intent=intent)
        ctx.tell(self._guardian, intent)

    def state_view(self) -> Mapping[str, object]:
        """Position, what is working, counters, and the last bar with its signal."""
        signal = self._strategy.signal
        return {
            **self._book.state_view(),
            "last_close": None if self._bar is None else self._bar.close,
            "highest": None if self._highest is None else str(self._highest),
            "stops_lost": self._stop.failures,
            "signal": None if signal is None else signal.value,
            "last_denial": self._last_denial,
            "idle": self._idle,
            "recovered": self._record.is_known,
            "has_history": self._strategy.has_history,
        }


def _close_of(bar: Bar) -> Decimal:
    return Decimal(repr(bar.close))


NO_SESSION = "no session has begun"
UNSEEN_AGAIN_AFTER = 15 * SECOND
"""Where a stop is placed without a bar and denied for a while, it is tried again so much later."""
_LIVES = (OrderAccepted, OrderUnknown, OrderFilled)
"""Reports after which an order may go on, or has done what it was for."""
_AT_A_STOP = (ExitReason.STOP_LOSS, ExitReason.TRAILING_STOP)
"""Where a stop order that rests would have been executed first."""
