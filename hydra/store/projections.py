"""The ledger's tables of current state: how each event changes them, and how they are read.

Everything in them follows from the events, so that replaying those gives the same tables again.
The caller of the `store_` functions holds the transaction and has judged the event.
"""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import apsw
import msgspec

from hydra.store.events import (
    OrderAttempted,
    OrderIntended,
    ValuePut,
    decoded,
    encoded,
)
from hydra.store.order_state import OrderState, OrderStatus
from hydra.trading.orders import DecisionKey, Fill, Role, Side
from messages.orders import OrderIntent


class OrderRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that the ledger knows of one order. `attempted_at` is market time (UTC ns)."""

    seq: int
    intent: OrderIntent
    state: OrderState
    attempted_at: int


def content_hash(event: OrderIntended) -> str:
    """Names the whole content of intent and order; the gate's epoch and deadlines are not in it."""
    return hashlib.blake2b(encoded(event), digest_size=16).hexdigest()


def order_named(connection: apsw.Connection, client_order_id: str) -> OrderRecord | None:
    """The order of this name, or None if no attempt to send such a one is on record."""
    row = connection.execute(
        f"{_SELECT_ORDERS} WHERE o.client_order_id = ?", (client_order_id,)
    ).fetchone()
    return None if row is None else _order_record(row)


def decision_named(connection: apsw.Connection, client_order_id: str) -> DecisionKey | None:
    """Whose order this is, or None if nobody ever intended it."""
    row = connection.execute(
        "SELECT bot, symbol, session, signal, role FROM intents WHERE client_order_id = ?",
        (client_order_id,),
    ).fetchone()
    return None if row is None else _decision(*row)


def order_records(connection: apsw.Connection) -> Iterator[OrderRecord]:
    """All orders, in the order they were stored."""
    for row in connection.execute(f"{_SELECT_ORDERS} ORDER BY i.stored_seq"):
        yield _order_record(row)


def open_order_records(connection: apsw.Connection) -> Iterator[OrderRecord]:
    """Those orders that may be, or come to life, at the venue, in the order they were stored."""
    statuses = [status.value for status in OrderStatus if status.is_open]
    places = ", ".join("?" * len(statuses))
    for row in connection.execute(
        f"{_SELECT_ORDERS} WHERE o.status IN ({places}) ORDER BY i.stored_seq", statuses
    ):
        yield _order_record(row)


def fill_named(connection: apsw.Connection, client_order_id: str, execution_id: str) -> Fill | None:
    """One execution of one order, if it has been counted already."""
    row = connection.execute(
        f"{_SELECT_FILLS} WHERE client_order_id = ? AND execution_id = ?",
        (client_order_id, execution_id),
    ).fetchone()
    return None if row is None else _fill(*row)


def fills_counted(connection: apsw.Connection) -> Iterator[Fill]:
    """All executions, in the order they were stored."""
    for row in connection.execute(f"{_SELECT_FILLS} ORDER BY seq"):
        yield _fill(*row)


def hash_of_state(connection: apsw.Connection) -> str:
    """Names the content of all tables of state: equal content, equal hash, on every machine."""
    digest = hashlib.blake2b(digest_size=32)
    for select in _SELECT_STATE:
        digest.update(select.encode() + b"\n")
        for row in connection.execute(select):
            digest.update(msgspec.json.encode(row) + b"\n")
    return digest.hexdigest()


def store_intent(connection: apsw.Connection, seq: int, event: OrderIntended) -> None:
    """The engine means to send an order."""
    decision = event.intent.decision
    connection.execute(
        "INSERT INTO intents (client_order_id, bot, symbol, session, signal, role, content_hash,"
        " body, stored_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            event.order.client_order_id,
            decision.bot,
            decision.symbol,
            decision.session,
            decision.signal,
            decision.role.value,
            content_hash(event),
            encoded(event),
            seq,
        ),
    )


def store_attempt(connection: apsw.Connection, seq: int, at: int, event: OrderAttempted) -> None:
    """From here on the order counts as perhaps sent."""
    connection.execute(
        "INSERT INTO attempts (client_order_id, at, seq) VALUES (?, ?, ?)",
        (event.client_order_id, at, seq),
    )
    connection.execute(
        "INSERT INTO orders (client_order_id, status, reason, venue_order_id, filled_quantity)"
        " VALUES (?, ?, '', NULL, '0')",
        (event.client_order_id, OrderStatus.ATTEMPTED.value),
    )


def store_fill(connection: apsw.Connection, seq: int, fill: Fill) -> None:
    """One execution more; the order's state is stored by itself."""
    connection.execute(
        "INSERT INTO fills (client_order_id, execution_id, symbol, side, quantity, price, at, seq)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            fill.client_order_id,
            fill.execution_id,
            fill.symbol,
            fill.side.value,
            str(fill.quantity),
            str(fill.price),
            fill.at,
            seq,
        ),
    )


def store_order_state(connection: apsw.Connection, state: OrderState) -> None:
    """What the reports of an order say together by now."""
    connection.execute(
        "UPDATE orders SET status = ?, reason = ?, venue_order_id = ?, filled_quantity = ?"
        " WHERE client_order_id = ?",
        (
            state.status.value,
            state.reason,
            state.venue_order_id,
            str(state.filled_quantity),
            state.order.client_order_id,
        ),
    )


def store_value(connection: apsw.Connection, event: ValuePut) -> None:
    """The value of a key from here on."""
    connection.execute(
        "INSERT INTO kv (key, value) VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (event.key, event.value),
    )


def _order_record(row: tuple[Any, ...]) -> OrderRecord:
    seq, body, attempted_at, status, reason, venue_order_id, filled_quantity = row
    intended = decoded(body)
    assert isinstance(intended, OrderIntended), "an intent's body holds the intent"
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
    )


def _decision(bot: str, symbol: str, session: str, signal: int, role: str) -> DecisionKey:
    return DecisionKey(bot=bot, symbol=symbol, session=session, signal=signal, role=Role(role))


def _fill(
    client_order_id: str,
    execution_id: str,
    symbol: str,
    side: str,
    quantity: str,
    price: str,
    at: int,
) -> Fill:
    return Fill(
        execution_id=execution_id,
        client_order_id=client_order_id,
        symbol=symbol,
        side=Side(side),
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=at,
    )


_SELECT_ORDERS = (
    "SELECT i.stored_seq, i.body, a.at, o.status, o.reason, o.venue_order_id, o.filled_quantity"
    " FROM orders o JOIN attempts a USING (client_order_id) JOIN intents i USING (client_order_id)"
)
_SELECT_FILLS = "SELECT client_order_id, execution_id, symbol, side, quantity, price, at FROM fills"
_SELECT_STATE = (
    "SELECT * FROM intents ORDER BY client_order_id",
    "SELECT * FROM attempts ORDER BY client_order_id",
    "SELECT * FROM orders ORDER BY client_order_id",
    "SELECT * FROM fills ORDER BY client_order_id, execution_id",
    "SELECT * FROM kv ORDER BY key",
)
