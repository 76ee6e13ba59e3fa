"""buy_the_dip: buys a symbol whose bar fell by so much, and sells it when a rule says so.

Everything that it is told and says is a message. It reads no clock and no file: the same class runs
live, in a simulation and in the tests.
"""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from actors.bot_record import BotRecord, recover, take_report
from hydra.actor import MINUTE, Actor, Context, Ref, unhandled
from hydra.plugins import BotKind, BotPlan
from hydra.trading.account_day import trading_day
from hydra.trading.bars import Bar
from hydra.trading.exit_rules import ExitRules, exit_reason
from hydra.trading.orders import Role, Side
from hydra.trading.protection import Guard
from hydra.trading.symbol_book import SymbolBook
from hydra.trading.venue_clock import seen_at
from messages.lifecycle import Replied
from messages.market import BarClosed, ReportHistory, bars_topic
from messages.orders import CancelIntent, OrderDenied, OrderIntent, ReportStored, reports_topic
from messages.positions import (
    BOOK_CHANGED_TOPIC,
    BookChanged,
    BookRecovered,
    RecoverBook,
    RecoveryOverdue,
)
from messages.protection import GUARDS_TOPIC, GuardReported

Inbox: TypeAlias = (
    BarClosed | ReportStored | OrderDenied | BookChanged | BookRecovered | RecoveryOverdue | Replied
)

FLAT_BEFORE_CLOSE = 5 * MINUTE
CENT = Decimal("0.01")


class Parameters(Struct, frozen=True, kw_only=True):
    """What `params` of the bot's section may hold. Percent of a price; minutes."""

    dip_pct: Annotated[float, Meta(gt=0, le=50)] = 0.5
    stop_loss_pct: Annotated[float, Meta(gt=0, lt=100)] = 1.0
    take_profit_pct: Annotated[float, Meta(gt=0, le=100)] = 1.0
    time_stop_minutes: Annotated[int, Meta(ge=1, le=390)] = 30
    max_trades_per_day: Annotated[int, Meta(ge=1, le=100)] = 3


class BuyTheDip(Actor[Inbox]):
    """One book for each symbol. It decides nothing before it knows what is on record of it."""

    def __init__(
        self,
        plan: BotPlan,
        guardian: Ref[OrderIntent | CancelIntent | RecoverBook],
        feed: Ref[ReportHistory],
    ) -> None:
        parameters = plan.parameters
        assert isinstance(parameters, Parameters), "the engine reads them by our own schema"
        self._plan = plan
        self._parameters = parameters
        self._guardian = guardian
        self._rules = ExitRules(
            stop_loss_pct=Decimal(repr(parameters.stop_loss_pct)),
            take_profit_pct=Decimal(repr(parameters.take_profit_pct)),
            time_stop_ns=parameters.time_stop_minutes * MINUTE,
        )
        self._books = {
            symbol: SymbolBook(plan.bot_id, symbol, Decimal(1)) for symbol in plan.symbols
        }
        self._record = BotRecord(plan.bot_id, guardian)
        self._guarded: set[str] = set()
        """What it last said that it guards."""

    def start(self, ctx: Context) -> None:
        """First or again after a crash: whatever it knew, it asks for it now."""
        for symbol in self._plan.symbols:
            ctx.subscribe(bars_topic(symbol))
        ctx.subscribe(reports_topic(self._plan.bot_id))
        ctx.subscribe(BOOK_CHANGED_TOPIC)
        self._record.ask(ctx)

    def receive(self, message: Inbox, ctx: Context) -> None:
        """One message at a time."""
        match message:
            case BarClosed(bar=bar, is_backfill=is_backfill):
                if not is_backfill and self._record.is_known:
                    self._look_at(bar, self._books[bar.symbol], ctx)
            case ReportStored():
                book = self._books.get(message.decision.symbol)
                if book is not None:
                    take_report(book, message)
            case OrderDenied(intent=intent):
                self._books[intent.decision.symbol].denied(intent.decision)
            case BookChanged():
                self._record.ask(ctx)
            case BookRecovered():
                if self._record.is_answer(message, ctx):
                    recover(self._books.values(), message)
            case RecoveryOverdue():
                self._record.check_in_time()
            case Replied():
                pass  # it asks the feed for no history
            case _:
                unhandled(message)

    def _look_at(self, bar: Bar, book: SymbolBook, ctx: Context) -> None:
        plan = self._plan
        session = plan.sessions.at(bar.start_at)
        if session is None:
            return
        book.begin_session(trading_day(plan.sessions, bar.start_at))
        is_over = not plan.manage_window.contains(bar.end_at) or (
            bar.end_at >= session.close_at - FLAT_BEFORE_CLOSE
        )
        self._say_how_it_is_guarded(bar, book, session.close_at, ctx)
        if book.sellable > 0:
            self._close_if_due(bar, book, is_over, ctx)
        elif not book.working and not is_over and plan.trade_window.contains(bar.end_at):
            self._enter_on_a_dip(bar, book, ctx)

    def _close_if_due(self, bar: Bar, book: SymbolBook, is_over: bool, ctx: Context) -> None:
        average = book.inventory.average_price
        if book.is_leaving or average is None:
            return
        reason = exit_reason(
            self._rules,
            entry_price=average,
            opened_at=book.inventory.lots[0].opened_at,
            bar=bar,
            at=bar.end_at,
            manage_until_passed=is_over,
        )
        if reason is None:
            return
        for each in book.resting:  # of an order that was adopted for it: nothing is sold beside it
            ctx.tell(self._guardian, CancelIntent(decision=each.decision, reason=reason.value))
        if not book.resting:
            self._wish(Role.EXIT, Side.SELL, book.sellable, reason.value, bar, book, ctx)

    def _enter_on_a_dip(self, bar: Bar, book: SymbolBook, ctx: Context) -> None:
        parameters = self._parameters
        if book.entries >= parameters.max_trades_per_day:
            return
        if bar.close > bar.open * (1 - parameters.dip_pct / 100):
            return
        shares = (self._plan.order_notional_usd / _price(bar)).to_integral_value(ROUND_FLOOR)
        if shares > 0:
            self._wish(Role.ENTRY, Side.BUY, shares, "dip", bar, book, ctx)

    def _wish(
        self,
        role: Role,
        side: Side,
        quantity: Decimal,
        reason: str,
        bar: Bar,
        book: SymbolBook,
        ctx: Context,
    ) -> None:
        decision = book.next_decision(role)
        book.intended(decision, quantity)
        stop = self._rules.stop_price(_price(bar)).quantize(CENT, ROUND_FLOOR)
        intent = OrderIntent(
            decision=decision,
            side=side,
            quantity=quantity,
            reason=reason,
            # The venue's clock may be a little ahead; nothing is decided in the future.
            decided_at=seen_at(bar.end_at, ctx.market_time()),
            reference_price=_price(bar),
            # An entry says where it will be given up: what it risks is counted to there.
            protective_stop=stop if role is Role.ENTRY else None,
        )
        ctx.log("order_intended", intent=intent)
        ctx.tell(self._guardian, intent)

    def _say_how_it_is_guarded(self, bar: Bar, book: SymbolBook, until: int, ctx: Context) -> None:
        """Else the exit bot takes the position for one that nobody looks after.

        Once more with nothing, when nothing is left.
        """
        lots = book.inventory.lots
        if not lots and book.symbol not in self._guarded:
            return
        self._guarded = self._guarded | {book.symbol} if lots else self._guarded - {book.symbol}
        guard = Guard(
            name="exits",
            bot=self._plan.bot_id,
            symbol=book.symbol,
            quantity=max(book.sellable, Decimal(0)),  # its rules are for a long position
            since=lots[0].opened_at if lots else bar.end_at,
            until=until,
            looked_at=max(bar.end_at, ctx.market_time()),
            price_at=bar.end_at,
        )
        ctx.publish(GUARDS_TOPIC, GuardReported(guard=guard))

    def state_view(self) -> Mapping[str, object]:
        """What `hydra-trader debug state` shows."""
        return {symbol: book.state_view() for symbol, book in self._books.items()}


def _price(bar: Bar) -> Decimal:
    return Decimal(repr(bar.close))


KIND = BotKind(actor=BuyTheDip, parameters=Parameters)
"""What the entry point leads to."""
