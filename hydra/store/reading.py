"""What stands in a ledger, read from its tables: by its owner, or by anybody who only looks."""

from decimal import Decimal
from typing import TypeVar

import apsw

from hydra.store.tables import (
    BUDGETS,
    COUNTERS,
    FACTS,
    FILLS,
    HALTS,
    INVENTORIES,
    KV,
    ORDERS,
    SUB_LEDGERS,
    BotInventory,
    FillRecord,
    OrderRecord,
    Table,
    decision_of,
)
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import DecisionKey
from hydra.trading.sub_ledgers import SessionCounters, SubLedger
from hydra.trading.trading_state import Cause

E = TypeVar("E")


class Records:
    """What is durable. Each answer is read in one go; two of them may lie a commit apart."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def orders(self) -> tuple[OrderRecord, ...]:
        """Every order, in the order they were recorded."""
        return self._all(ORDERS, "ORDER BY intended_seq")

    def open_orders(self) -> tuple[OrderRecord, ...]:
        """Every order that may be, or come to life, at the venue, in the order of recording."""
        statuses = [status.value for status in OrderStatus if status.is_open]
        places = ", ".join("?" * len(statuses))
        return self._all(ORDERS, f"WHERE status IN ({places}) ORDER BY intended_seq", *statuses)

    def fills(self) -> tuple[FillRecord, ...]:
        """Every execution counted, in the order they were recorded."""
        return self._all(FILLS, "ORDER BY seq")

    def inventories(self) -> tuple[BotInventory, ...]:
        """What every bot holds, and what it held once, by bot and symbol."""
        return self._all(INVENTORIES, "ORDER BY bot, symbol")

    def sub_ledgers(self) -> tuple[SubLedger, ...]:
        """Every bot's money, by bot."""
        return self._all(SUB_LEDGERS, "ORDER BY bot")

    def counters(self, session: str | None = None) -> tuple[SessionCounters, ...]:
        """What every bot has done, in one session or in all."""
        if session is None:
            return self._all(COUNTERS, "ORDER BY session, bot")
        return self._all(COUNTERS, "WHERE session = ? ORDER BY bot", session)

    def budgets(self, session: str) -> dict[str, Decimal]:
        """What every bot was granted for this session."""
        rows = self._all(BUDGETS, "WHERE session = ? ORDER BY bot", session)
        return {str(bot): Decimal(str(amount)) for bot, _session, amount in rows}

    def halts(self) -> tuple[Cause, ...]:
        """Every cause that stands, the oldest first."""
        return self._all(HALTS, "ORDER BY since, code")

    def values(self) -> dict[str, str]:
        """Every named value that was put."""
        return {str(key): str(value) for key, value in self._all(KV, "ORDER BY key")}

    def facts(self) -> dict[str, str]:
        """What the ledger knows of itself: see the names in `projections`."""
        return {str(name): str(value) for name, value in self._all(FACTS, "ORDER BY name")}

    def decision_of(self, client_order_id: str) -> DecisionKey | None:
        """Whose order this is, or None if it is not one of ours."""
        select = f"{ORDERS.select_rows} WHERE client_order_id = ?"
        row = self._connection.execute(select, (client_order_id,)).fetchone()
        return None if row is None else decision_of(row)

    def taken_in(self, session: str) -> dict[DecisionKey | str, str]:
        """Each decision of a session, and each order's name, with the name that it leads to."""
        taken: dict[DecisionKey | str, str] = {}
        select = f"{ORDERS.select_rows} WHERE session = ?"
        for row in self._connection.execute(select, (session,)):
            taken[row[0]] = taken[decision_of(row)] = row[0]
        return taken

    def link_at(self, seq: int) -> str | None:
        """The link of an event, in hex; None if there is none of this number."""
        row = self._connection.execute("SELECT link FROM events WHERE seq = ?", (seq,)).fetchone()
        return None if row is None else row[0].hex()

    def _all(self, table: Table[E], condition: str, *arguments: str) -> tuple[E, ...]:
        rows = self._connection.execute(f"{table.select_entities} {condition}", arguments)
        return tuple(table.decode(row) for row in rows)
