"""From the lines of a session's story to the rows of its tables, one line at a time.

Pure, and the same whenever it is told the same lines: while the session runs, at its end, and years
later. An execution and a fee count once. What cannot be understood is counted, never guessed.
"""

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from hydra.ops.artefacts import story
from hydra.ops.artefacts.entries import Denials, Denied, OrderEntry
from hydra.ops.artefacts.holdings import Holdings
from hydra.ops.artefacts.opening import Opening
from hydra.ops.artefacts.rows import (
    ACCOUNT,
    COLUMNS,
    ORDERS,
    POSITIONS,
    TRADES,
    Row,
    time_cells,
)
from hydra.ops.artefacts.story import Line
from hydra.store.events import PositionAssigned
from hydra.store.journal_line import moment_of
from hydra.store.operator_acts import as_if_executed
from hydra.trading.exact import add, plain, total
from hydra.trading.fees import USD, Fee, FeeChange, FeePart
from hydra.trading.instruments import value_of
from hydra.trading.inventory import BadFill, ClosedLot
from hydra.trading.order_life import Attempted, ImpossibleReport, OrderState, OrderStatus, after
from hydra.trading.orders import DecisionKey, Fill, Order
from hydra.trading.venue_view import VenueFee
from messages.order_events import event_of
from messages.orders import (
    OrderAccepted,
    OrderFilled,
    OrderIntent,
    Outcome,
    client_order_id_of,
)
from messages.summary import Trade

_NAME = COLUMNS[ORDERS].index("client_order_id")

Written = tuple[str, Row]
"""A new row, and of which table."""


class SessionBook:
    """The tables of a session, as far as its story was told."""

    def __init__(self, opening: Opening) -> None:
        self.holdings = Holdings(opening)
        self.orders: dict[str, OrderEntry] = {}
        self.denials = Denials()
        self.trades: list[Trade] = []
        self.slowest_decision: int | None = None
        """The longest time (market ns) from a decision to the venue's acceptance of its order."""
        self.not_understood = 0
        """Lines that speak of orders or money and could not be taken."""
        self.told_until: int | None = None
        self._reasons = {
            each.execution_id: (each.reason, each.client_order_id) for each in opening.entered
        }
        """Of each execution: why its order was wanted, and which that is."""
        self._early: dict[str, list[Outcome]] = {}
        self._worth: Decimal | None = None
        for known in opening.orders:
            self.orders[known.state.order.client_order_id] = OrderEntry(known.state, known.intent)

    def take(self, line: Line) -> tuple[Written, ...]:
        """What is new in the tables by this line."""
        try:
            at = moment_of(line["ts"])
            rows = tuple(self._rows(line, at))
        except (BadFill, KeyError, TypeError, ValueError, msgspec.ValidationError):
            self.not_understood += 1
            return ()
        self.told_until = max(at, self.told_until or at)
        return rows

    def as_it_ended(self, row: Row) -> Row:
        """A row of `orders.csv` as it is by now: what was given up may have lived after all."""
        entry = self.orders.get(str(row[_NAME]))
        return row if entry is None else entry.row

    def open_rows(self) -> Iterator[Row]:
        """The orders that have no row yet, as they were recorded."""
        return (order.row for order in self.orders.values() if not order.written)

    def _rows(self, line: Line, at: int) -> Iterator[Written]:
        match line["event"]:
            case story.OPENED:
                if self.holdings.equity is not None:
                    yield (ACCOUNT, self._account_row(at, "start"))
            case "order_approved":
                intent = msgspec.convert(line["intent"], OrderIntent)
                self._approved(line["client_order_id"], intent)
                yield from self._judged(line, intent, at)
            case "order_denied":
                intent = msgspec.convert(line["intent"], OrderIntent)
                denied = Denied(intent, line["check"], line["reason"], at)
                self.denials.count(denied)
                yield (ORDERS, denied.row)
                yield from self._judged(line, intent, at)
            case "intent_stored":
                yield from self._stored(msgspec.convert(line["order"], Order))
            case "report_stored":
                yield from self._reported(line, at)
            case "fee_accrued":
                fee = msgspec.convert(line["fee"], Fee)
                self.holdings.accrued(fee)
                yield from self._moved(at, "fee", fee.bot, fee.symbol)
            case "fees_observed":
                for change in msgspec.convert(line["changes"], list[FeeChange]):
                    self.holdings.observed(change)
                yield (ACCOUNT, self._account_row(at, "fee"))
            case "fee_booked":
                yield from self._fee_booked(line, at)
            case "account_opened":
                self.holdings.opened_with(_decimal(line["cash"]))
            case "cash_adjusted":
                self.holdings.move_cash(_decimal(line["amount"]))
                yield (ACCOUNT, self._account_row(at, "operator"))
            case "position_assigned":
                yield from self._assigned(line, at)
            case _:
                pass

    def _approved(self, name: str, intent: OrderIntent) -> None:
        order = Order(
            client_order_id=name,
            symbol=intent.decision.symbol,
            side=intent.side,
            quantity=intent.quantity,
            order_type=intent.order_type,
            time_in_force=intent.time_in_force,
            limit_price=intent.limit_price,
            stop_price=intent.stop_price,
            replaces=intent.replaces,
        )
        entry = self.orders.setdefault(name, OrderEntry(OrderState(order=order)))
        entry.intent = entry.intent or intent

    def _judged(self, line: Line, intent: OrderIntent, at: int) -> Iterator[Written]:
        if intent.reference_price is not None:
            self.holdings.prices[intent.decision.symbol] = intent.reference_price
        worth = line.get("equity")
        if worth is not None and _decimal(worth) != self._worth:
            yield (ACCOUNT, self._account_row(at, "guardian", _decimal(worth)))

    def _stored(self, order: Order) -> Iterator[Written]:
        name = order.client_order_id
        entry = self.orders.setdefault(name, OrderEntry(OrderState(order=order)))
        if entry.state.status is OrderStatus.INTENDED:
            entry.state = after(OrderState(order=order), Attempted())
        for report in self._early.pop(name, ()):
            yield from self._outcome(entry, report)

    def _reported(self, line: Line, at: int) -> Iterator[Written]:
        report: Outcome = msgspec.convert(line["content"], Outcome)
        name = client_order_id_of(report)
        entry = self.orders.get(name)
        if isinstance(report, OrderFilled):
            decision = line.get("decision")
            if decision is not None:
                bot = msgspec.convert(decision, DecisionKey).bot
            elif entry is not None and entry.intent is not None:
                bot = entry.intent.decision.bot
            else:
                raise KeyError(name)
            closed = self.holdings.filled(bot, report.fill)
            if closed is None:
                return
            yield from self._closed(bot, report.fill, closed)
            yield from self._moved(at, "fill", bot, report.fill.symbol)
        if entry is None or entry.state.status is OrderStatus.INTENDED:
            self._early.setdefault(name, []).append(report)
        else:
            yield from self._outcome(entry, report)

    def _outcome(self, entry: OrderEntry, report: Outcome) -> Iterator[Written]:
        try:
            entry.state = after(entry.state, event_of(report))
        except ImpossibleReport:
            self.not_understood += 1
            return
        if isinstance(report, OrderFilled):
            entry.took(report.fill)
            entry.last_at = report.fill.at
        else:
            entry.last_at = report.at
        if isinstance(report, OrderAccepted) and entry.accepted_at is None:
            entry.accepted_at = report.at
            if entry.intent is not None:
                took = report.at - entry.intent.decided_at
                self.slowest_decision = max(self.slowest_decision or 0, took)
        if not entry.state.status.is_open and not entry.written:
            entry.written = True
            yield (ORDERS, entry.row)

    def _closed(self, bot: str, fill: Fill, closed: tuple[ClosedLot, ...]) -> Iterator[Written]:
        entry = self.orders.get(fill.client_order_id)
        why = "" if entry is None or entry.intent is None else entry.intent.reason
        self._reasons[fill.execution_id] = (why, fill.client_order_id)
        for lot in closed:
            entry_reason, entry_order = self._reasons.get(lot.entry_execution_id, ("", ""))
            exit_reason, exit_order = self._reasons.get(lot.exit_execution_id, ("", ""))
            trade = Trade(
                bot=bot,
                symbol=fill.symbol,
                side=lot.side.value,
                quantity=lot.quantity,
                entry_price=lot.entry_price,
                exit_price=lot.exit_price,
                opened_at=lot.opened_at,
                closed_at=lot.closed_at,
                entry_reason=entry_reason,
                exit_reason=exit_reason,
                realised=lot.realised,
            )
            self.trades.append(trade)
            yield (TRADES, trade_row(trade, entry_order, exit_order))

    def _fee_booked(self, line: Line, at: int) -> Iterator[Written]:
        """What it says beyond the fees that were accrued is the account's own, in USD or coins."""
        charge = msgspec.convert(line["charge"], VenueFee)
        parts = msgspec.convert(line["parts"], list[FeePart])
        own = add(charge.amount, total(part.amount for part in parts).copy_negate())
        if own and charge.asset == USD:
            self.holdings.move_cash(own.copy_negate())
            yield (ACCOUNT, self._account_row(at, "fee"))

    def _assigned(self, line: Line, at: int) -> Iterator[Written]:
        assigned = msgspec.convert(line["assigned"], PositionAssigned)
        as_if = as_if_executed(assigned, line["ledger"], at)
        closed = self.holdings.filled(assigned.bot, as_if)
        if closed is None:
            return
        # The account has traded nothing: what the bot paid, nobody got.
        value = value_of(assigned.symbol, assigned.quantity, assigned.price)
        self.holdings.move_cash(value)
        yield from self._closed(assigned.bot, as_if, closed)
        yield from self._moved(at, "operator", assigned.bot, assigned.symbol)

    def _moved(self, at: int, told_by: str, bot: str, symbol: str) -> Iterator[Written]:
        lots = self.holdings.lots.get((bot, symbol))
        if lots is not None:
            price, average = self.holdings.prices.get(symbol), lots.average_price
            row = (
                *time_cells(at),
                bot,
                symbol,
                lots.position,
                None if average is None else plain(average),
                lots.cost_basis,
                price,
                None if price is None else lots.unrealised(price),
                self.holdings.realised.get((bot, symbol), Decimal(0)),
            )
            yield (POSITIONS, row)
        yield (ACCOUNT, self._account_row(at, told_by))

    def _account_row(self, at: int, told_by: str, worth: Decimal | None = None) -> Row:
        """`worth` is the account's as the guardian knew it, None: as it follows from the story."""
        holdings = self.holdings
        equity = holdings.equity if worth is None else worth
        self._worth = equity
        return (
            *time_cells(at),
            told_by,
            equity,
            holdings.cash,
            holdings.market_value,
            holdings.unrealised,
            total(holdings.realised.values()),
            total(holdings.fees.values()),
        )


def trade_row(trade: Trade, entry_order: str, exit_order: str) -> Row:
    """As it stands in `trades.csv`; an order without a name is one that was not told."""
    return (
        trade.bot,
        trade.symbol,
        trade.side,
        trade.quantity,
        trade.entry_price,
        trade.exit_price,
        *time_cells(trade.opened_at),
        *time_cells(trade.closed_at),
        trade.realised,
        trade.entry_reason,
        trade.exit_reason,
        entry_order or None,
        exit_order or None,
    )


def _decimal(text: str) -> Decimal:
    return msgspec.convert(text, Decimal)
