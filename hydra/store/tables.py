"""The ledger's tables of current state: their columns, and what a row of each means.

Decimals are text, times are UTC ns. A row is a tuple of what SQLite holds: its key, then what never
changes of it, then what may be replaced.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from hydra.store.chain import SqlRow, SqlValue
from hydra.store.events import OrderAdopted, OrderIntended, decoded
from hydra.trading.differences import DifferenceKind
from hydra.trading.fees import Fee, FeeBasis
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.order_life import OrderState, OrderStatus
from hydra.trading.orders import DecisionKey, Fill, Role, Side
from hydra.trading.sub_ledgers import BotInventory, SessionCounters, SubLedger
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.trading.venue_view import VenueFee
from messages.orders import OrderIntent
from messages.positions import Exclusion

E = TypeVar("E")

Key: TypeAlias = tuple[SqlValue, ...]
Record: TypeAlias = tuple[Any, ...]
"""A row as SQLite gives it."""


class Table(msgspec.Struct, Generic[E], frozen=True, kw_only=True):
    """One table, and how its rows become the values that the engine thinks in, and back.

    `fixed` columns are written once, `values` may be replaced. `joined` is what an entity needs
    besides its row, as a second column list and a join.
    """

    name: str
    key: tuple[str, ...]
    fixed: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    joined: tuple[str, str] = ("", "")
    encode: Callable[[E], SqlRow]
    decode: Callable[[Record], E]

    @property
    def columns(self) -> tuple[str, ...]:
        """In the order of a row."""
        return self.key + self.fixed + self.values

    @property
    def select_rows(self) -> str:
        """Every row, as it is stored."""
        return f"SELECT {', '.join(self.columns)} FROM {self.name}"

    @property
    def select_entities(self) -> str:
        """Every row, as `decode` reads it."""
        column, join = self.joined
        return f"SELECT {', '.join(self.columns)}{column} FROM {self.name}{join}"

    @property
    def insert(self) -> str:
        """Adds a row; an error if there is one with this key."""
        places = ", ".join("?" * len(self.columns))
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}) VALUES ({places})"

    @property
    def replace(self) -> str:
        """Replaces the values of a row that is there; bound, as `insert` is, to the whole row."""
        if not self.values:
            return self.insert  # written once: a second time is an error
        numbers = {column: number for number, column in enumerate(self.columns, 1)}
        values = ", ".join(f"{column} = ?{numbers[column]}" for column in self.values)
        key = " AND ".join(f"{column} = ?{numbers[column]}" for column in self.key)
        return f"UPDATE {self.name} SET {values} WHERE {key}"

    @property
    def delete(self) -> str:
        """Takes the row of a key out."""
        return f"DELETE FROM {self.name} WHERE {self.of_a_key}"

    @property
    def find(self) -> str:
        """The row of a key, as `decode` reads it."""
        return f"{self.select_entities} WHERE {self.of_a_key}"

    @property
    def of_a_key(self) -> str:
        """The condition that finds one row."""
        return " AND ".join(f"{column} = ?" for column in self.key)


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that the ledger knows of one order. `attempted_at` is market time (UTC ns)."""

    seq: int
    intent: OrderIntent
    state: OrderState
    attempted_at: int | None
    content_hash: str
    """Names the whole content of intent and order; the gate's epoch and deadlines are not in it."""


class FillRecord(msgspec.Struct, frozen=True):
    """One execution, whose it is, and which event counted it."""

    fill: Fill
    bot: str
    seq: int


class FeeOnRecord(msgspec.Struct, frozen=True):
    """One fee, and which event it came with."""

    fee: Fee
    seq: int


class BookingOnRecord(msgspec.Struct, frozen=True):
    """An activity of the venue that is taken up, and by which event."""

    charge: VenueFee
    seq: int


def _order_row(record: OrderRecord) -> SqlRow:
    decision, state = record.intent.decision, record.state
    return (
        state.order.client_order_id,
        decision.bot,
        decision.symbol,
        decision.session,
        decision.signal,
        decision.role.value,
        record.content_hash,
        record.seq,
        record.attempted_at,
        state.status.value,
        state.reason,
        state.venue_order_id,
        str(state.filled_quantity),
    )


def _order(row: Record) -> OrderRecord:
    content_hash, seq, attempted_at, status, reason, venue_order_id, filled_quantity, body = row[6:]
    intended = intended_in(body)
    return OrderRecord(
        seq=seq,
        intent=intended.intent,
        state=OrderState(
            order=intended.order,
            status=OrderStatus(status),
            reason=reason,
            venue_order_id=venue_order_id,
            filled_quantity=Decimal(filled_quantity),
        ),
        attempted_at=attempted_at,
        content_hash=content_hash,
    )


def intended_in(body: bytes) -> OrderIntended | OrderAdopted:
    """How an order came to be, as the event says to which its row refers."""
    intended = decoded(body)
    assert isinstance(intended, OrderIntended | OrderAdopted), "an order refers to where it began"
    return intended


def decision_of(row: Record) -> DecisionKey:
    """Whose order a row of the orders is."""
    bot, symbol, session, signal, role = row[1:6]
    return DecisionKey(bot=bot, symbol=symbol, session=session, signal=signal, role=Role(role))


def _fill_row(record: FillRecord) -> SqlRow:
    fill = record.fill
    return (
        fill.client_order_id,
        fill.execution_id,
        record.bot,
        fill.symbol,
        fill.side.value,
        str(fill.quantity),
        str(fill.price),
        fill.at,
        record.seq,
    )


def _fill(row: Record) -> FillRecord:
    client_order_id, execution_id, bot, symbol, side, quantity, price, at, seq = row
    fill = Fill(
        execution_id=execution_id,
        client_order_id=client_order_id,
        symbol=symbol,
        side=Side(side),
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=at,
    )
    return FillRecord(fill, bot, seq)


def _inventory_row(held: BotInventory) -> SqlRow:
    inventory = held.inventory
    return held.bot, inventory.symbol, str(inventory.position), _LOTS_OUT.encode(inventory.lots)


def _inventory(row: Record) -> BotInventory:
    bot, symbol, _position, lots = row
    return BotInventory(bot, FifoInventory(symbol, _LOTS_IN.decode(lots)))


def _sub_ledger_row(sub_ledger: SubLedger) -> SqlRow:
    return sub_ledger.bot, str(sub_ledger.cash), str(sub_ledger.realised)


def _sub_ledger(row: Record) -> SubLedger:
    bot, cash, realised = row
    return SubLedger(bot=bot, cash=Decimal(cash), realised=Decimal(realised))


def _counters_row(counters: SessionCounters) -> SqlRow:
    return (
        counters.bot,
        counters.session,
        counters.entries,
        counters.exits,
        counters.rejections,
        counters.fills,
        counters.round_trips,
        str(counters.realised),
    )


def _counters(row: Record) -> SessionCounters:
    bot, session, entries, exits, rejections, fills, round_trips, realised = row
    return SessionCounters(
        bot=bot,
        session=session,
        entries=entries,
        exits=exits,
        rejections=rejections,
        fills=fills,
        round_trips=round_trips,
        realised=Decimal(realised),
    )


def _cause_row(cause: Cause) -> SqlRow:
    return (
        cause.code,
        cause.cause_class.value,
        cause.state.value,
        cause.since,
        cause.detail,
        cause.bot,
        cause.symbol,
    )


def _cause(row: Record) -> Cause:
    code, cause_class, state, since, detail, bot, symbol = row
    return Cause(
        code=code,
        cause_class=CauseClass(cause_class),
        state=TradingState(state),
        since=since,
        detail=detail,
        bot=bot,
        symbol=symbol,
    )


def _exclusion_row(excluded: Exclusion) -> SqlRow:
    quantity = None if excluded.quantity is None else str(excluded.quantity)
    kind = excluded.kind.value
    return kind, excluded.subject, quantity, excluded.reason, excluded.operator


def _exclusion(row: Record) -> Exclusion:
    kind, subject, quantity, reason, operator = row
    return Exclusion(
        kind=DifferenceKind(kind),
        subject=subject,
        quantity=None if quantity is None else Decimal(quantity),
        reason=reason,
        operator=operator,
    )


def _fee_row(record: FeeOnRecord) -> SqlRow:
    fee = record.fee
    return (
        fee.client_order_id,
        fee.execution_id,
        fee.bot,
        fee.symbol,
        fee.asset,
        str(fee.most),
        fee.at,
        record.seq,
        fee.basis.value,
        str(fee.amount),
        str(fee.booked),
    )


def _fee(row: Record) -> FeeOnRecord:
    client_order_id, execution_id, bot, symbol, asset, most, at, seq, basis, amount, booked = row
    fee = Fee(
        client_order_id=client_order_id,
        execution_id=execution_id,
        bot=bot,
        symbol=symbol,
        asset=asset,
        amount=Decimal(amount),
        most=Decimal(most),
        at=at,
        booked=Decimal(booked),
        basis=FeeBasis(basis),
    )
    return FeeOnRecord(fee, seq)


def _booking_row(record: BookingOnRecord) -> SqlRow:
    charge = record.charge
    return (
        charge.activity_id,
        charge.asset,
        charge.symbol,
        str(charge.amount),
        charge.at,
        int(charge.is_of_coins),
        record.seq,
    )


def _booking(row: Record) -> BookingOnRecord:
    activity_id, asset, symbol, amount, at, is_of_coins, seq = row
    charge = VenueFee(
        activity_id=activity_id,
        asset=asset,
        symbol=symbol,
        amount=Decimal(amount),
        at=at,
        is_of_coins=bool(is_of_coins),
    )
    return BookingOnRecord(charge, seq)


def _as_it_is(row: Record) -> SqlRow:
    return row


_LOTS_OUT = msgspec.json.Encoder()
_LOTS_IN: msgspec.json.Decoder[tuple[Lot, ...]] = msgspec.json.Decoder(tuple[Lot, ...])

FACTS: Table[SqlRow] = Table(
    name="facts", key=("name",), values=("value",), encode=_as_it_is, decode=_as_it_is
)
ORDERS: Table[OrderRecord] = Table(
    name="orders",
    key=("client_order_id",),
    fixed=("bot", "symbol", "session", "signal", "role", "content_hash", "intended_seq"),
    values=("attempted_at", "status", "reason", "venue_order_id", "filled_quantity"),
    joined=(", body", " JOIN events ON seq = intended_seq"),
    encode=_order_row,
    decode=_order,
)
FILLS: Table[FillRecord] = Table(
    name="fills",
    key=("client_order_id", "execution_id"),
    fixed=("bot", "symbol", "side", "quantity", "price", "at", "seq"),
    encode=_fill_row,
    decode=_fill,
)
INVENTORIES: Table[BotInventory] = Table(
    name="inventories",
    key=("bot", "symbol"),
    values=("position", "lots"),
    encode=_inventory_row,
    decode=_inventory,
)
SUB_LEDGERS: Table[SubLedger] = Table(
    name="sub_ledgers",
    key=("bot",),
    values=("cash", "realised"),
    encode=_sub_ledger_row,
    decode=_sub_ledger,
)
COUNTERS: Table[SessionCounters] = Table(
    name="counters",
    key=("bot", "session"),
    values=("entries", "exits", "rejections", "fills", "round_trips", "realised"),
    encode=_counters_row,
    decode=_counters,
)
BUDGETS: Table[SqlRow] = Table(
    name="budgets",
    key=("bot", "session"),
    values=("amount",),
    encode=_as_it_is,
    decode=_as_it_is,
)
HALTS: Table[Cause] = Table(
    name="halts",
    key=("code",),
    values=("cause_class", "state", "since", "detail", "bot", "symbol"),
    encode=_cause_row,
    decode=_cause,
)
KV: Table[SqlRow] = Table(
    name="kv", key=("key",), values=("value",), encode=_as_it_is, decode=_as_it_is
)
EXCLUSIONS: Table[Exclusion] = Table(
    name="exclusions",
    key=("kind", "subject"),
    values=("quantity", "reason", "operator"),
    encode=_exclusion_row,
    decode=_exclusion,
)
FEES: Table[FeeOnRecord] = Table(
    name="fees",
    key=("client_order_id", "execution_id"),
    fixed=("bot", "symbol", "asset", "most", "at", "seq"),
    values=("basis", "amount", "booked"),
    encode=_fee_row,
    decode=_fee,
)
FEE_BOOKINGS: Table[BookingOnRecord] = Table(
    name="fee_bookings",
    key=("activity_id", "asset"),
    fixed=("symbol", "amount", "at", "is_of_coins", "seq"),
    encode=_booking_row,
    decode=_booking,
)

TABLES: tuple[Table[Any], ...] = (
    FACTS,
    ORDERS,
    FILLS,
    INVENTORIES,
    SUB_LEDGERS,
    COUNTERS,
    BUDGETS,
    HALTS,
    KV,
    EXCLUSIONS,
    FEES,
    FEE_BOOKINGS,
)
"""In the order in which they are written: a fill after its order."""
