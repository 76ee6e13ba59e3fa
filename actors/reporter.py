"""The reporter: keeps what was traded, for people. Nothing depends on it; it may die."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from hydra.actor import SECOND, Actor, Context, Ref, unhandled
from hydra.trading.exact import multiply
from hydra.trading.fees import USD, Fee
from hydra.trading.inventory import ClosedLot, FillBook
from hydra.trading.orders import DecisionKey, Fill
from messages.lifecycle import Replied
from messages.market import FEED_TOPIC, BarsClosed, FeedEnded
from messages.message import Message
from messages.orders import (
    JUDGEMENTS_TOPIC,
    REPORTS_TOPIC,
    OrderApproved,
    OrderDenied,
    OrderFilled,
    ReportStored,
)
from messages.positions import BookRecovered, RecoverBook
from messages.summary import FeePaid, OpenLot, SessionSummary, Summarize, Trade

Inbox: TypeAlias = (
    ReportStored | OrderApproved | OrderDenied | BarsClosed | FeedEnded | Summarize | Replied
)
RECOVER_WITHIN = 5 * SECOND


class Reporter(Actor[Inbox]):
    """Matches fills to trades, per bot and symbol, first in first out.

    What is held from before its start it asks for, so that what closes it is a trade as well.
    """

    def __init__(self, persister: Ref[RecoverBook]) -> None:
        self._persister = persister
        self._waiting: list[ReportStored] | None = []
        """What came before it is known what was held; None: that is known."""
        self._books: dict[tuple[str, str], FillBook] = {}
        self._trades: list[Trade] = []
        self._fees: list[FeePaid] = []
        self._reasons: dict[DecisionKey, str] = {}
        self._reason_of_execution: dict[str, str] = {}
        self._denials: dict[str, int] = {}
        self._last_close: dict[str, float] = {}
        self._bars = 0
        self._orders = 0

    def start(self, ctx: Context) -> None:
        for topic in (REPORTS_TOPIC, JUDGEMENTS_TOPIC, FEED_TOPIC):
            ctx.subscribe(topic)
        ctx.ask(self._persister, RecoverBook(), within=RECOVER_WITHIN, tag="record")

    def receive(self, message: Inbox, ctx: Context) -> None:
        match message:
            case BarsClosed():
                self._bars += len(message.bars)
                self._last_close.update((bar.symbol, bar.close) for bar in message.bars)
            case ReportStored() if self._waiting is not None:
                self._waiting.append(message)
            case ReportStored():
                self._take(message)
            case Replied():
                self._begin_with(message.value)
            case OrderApproved():
                self._orders += 1
                self._reasons[message.intent.decision] = message.intent.reason
            case OrderDenied():
                check = message.denial.check
                self._denials[check] = self._denials.get(check, 0) + 1
            case Summarize():
                ctx.reply(self._summary())
            case FeedEnded():
                pass
            case _:
                unhandled(message)

    def _begin_with(self, record: Message | None) -> None:
        """Without an answer it goes by what it sees: a report is no reason to stop anything."""
        waiting, self._waiting = self._waiting or [], None
        booked: set[str] = set()
        if isinstance(record, BookRecovered):
            for held in record.held:
                book = FillBook(held.inventory.symbol)
                book.inventory = held.inventory
                self._books[held.bot, held.inventory.symbol] = book
            booked = {fill.execution_id for fill in record.fills}
            self._know_reasons_in(record)
        for stored in waiting:
            report = stored.report
            if not (isinstance(report, OrderFilled) and report.fill.execution_id in booked):
                self._take(stored)

    def _know_reasons_in(self, record: BookRecovered) -> None:
        """Why what is held was bought, and why what works was wanted, before this process began."""
        reasons = {each.order.client_order_id: each.reason for each in record.orders}
        for each in record.orders:
            self._reasons.setdefault(each.decision, each.reason)
        for fill in record.fills:
            reason = reasons.get(fill.client_order_id, "")
            self._reason_of_execution.setdefault(fill.execution_id, reason)

    def _take(self, stored: ReportStored) -> None:
        report, decision = stored.report, stored.decision
        if not isinstance(report, OrderFilled):
            return
        fill = report.fill
        self._reason_of_execution[fill.execution_id] = self._reasons.get(decision, "")
        key = (decision.bot, decision.symbol)
        book = self._books.setdefault(key, FillBook(decision.symbol))
        self._trades.extend(self._trade(decision, lot) for lot in book.book(fill, stored.fee))
        if stored.fee is not None:
            self._fees.append(_paid(stored.fee, fill))

    def _trade(self, decision: DecisionKey, lot: ClosedLot) -> Trade:
        return Trade(
            bot=decision.bot,
            symbol=decision.symbol,
            side=lot.side.value,
            quantity=lot.quantity,
            entry_price=lot.entry_price,
            exit_price=lot.exit_price,
            opened_at=lot.opened_at,
            closed_at=lot.closed_at,
            entry_reason=self._reason_of_execution.get(lot.entry_execution_id, ""),
            exit_reason=self._reason_of_execution.get(lot.exit_execution_id, ""),
            realised=lot.realised,
        )

    def _summary(self) -> SessionSummary:
        return SessionSummary(
            trades=tuple(self._trades),
            held=tuple(self._held()),
            bars=self._bars,
            orders=self._orders,
            denials=tuple(sorted(self._denials.items())),
            fees=tuple(self._fees),
        )

    def _held(self) -> list[OpenLot]:
        held = []
        for (bot, symbol), book in self._books.items():
            average = book.inventory.average_price
            if average is None:
                continue
            close = self._last_close.get(symbol)
            last = None if close is None else Decimal(repr(close))
            held.append(
                OpenLot(
                    bot=bot,
                    symbol=symbol,
                    quantity=book.inventory.position,
                    average_price=average,
                    last_price=last,
                    unrealised=None if last is None else book.inventory.unrealised(last),
                )
            )
        return held

    def state_view(self) -> Mapping[str, object]:
        """Counts."""
        return {"bars": self._bars, "orders": self._orders, "trades": len(self._trades)}


def _paid(fee: Fee, fill: Fill) -> FeePaid:
    in_usd = fee.asset == USD
    return FeePaid(
        bot=fee.bot,
        symbol=fee.symbol,
        asset=fee.asset,
        amount=fee.amount,
        usd=fee.amount if in_usd else multiply(fee.amount, fill.price),
    )
