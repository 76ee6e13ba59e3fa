"""What stands in a ledger, read from its tables: by its owner, or by anybody who only looks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import takewhile
from typing import TypeVar, get_args

import apsw
import msgspec

from hydra.store.decisions import Taken
from hydra.store.events import (
    EngineStarted,
    FeeAccrued,
    HaltCleared,
    LedgerEvent,
    OrderAttempted,
    decoded,
)
from hydra.store.tables import (
    BUDGETS,
    COUNTERS,
    EXCLUSIONS,
    FACTS,
    FEE_BOOKINGS,
    FEES,
    FILLS,
    HALTS,
    INVENTORIES,
    KV,
    ORDERS,
    SUB_LEDGERS,
    TABLES,
    BookingOnRecord,
    FeeOnRecord,
    FillRecord,
    OrderRecord,
    Table,
    decision_of,
    intended_in,
)
from hydra.trading.causes import RESTART_STORM
from hydra.trading.fees import FeeBasis
from hydra.trading.late_lists import Written
from hydra.trading.order_life import Attempted, OrderStatus
from hydra.trading.orders import DecisionKey, Role
from hydra.trading.sub_ledgers import BotInventory, SessionCounters, SubLedger
from hydra.trading.trade_signals import NUMBERS_FROM
from hydra.trading.trading_state import Cause
from messages.order_events import event_of
from messages.orders import Outcome, client_order_id_of
from messages.positions import Exclusion

E = TypeVar("E")

_SELECT = {table.name: table.select_entities for table in TABLES}
"""Put together once: a comparison asks for every order by its name."""
_ORDERS_OF_EXECUTIONS = (
    "SELECT execution_id, body FROM fills JOIN orders USING (client_order_id)"
    " JOIN events ON events.seq = intended_seq"
    " WHERE execution_id IN (SELECT value FROM json_each(?))"
)
SESSIONS_THAT_MATTER = 5
"""Decisions of the newest are counted; the others are there for clocks that disagree about it."""
EVENTS_THAT_ARE_NEW = 2_000
_NEWEST_SESSIONS = "SELECT DISTINCT session FROM orders {} ORDER BY session DESC LIMIT {}"
_OF_NEWEST_SESSIONS = f"session IN ({_NEWEST_SESSIONS.format('', SESSIONS_THAT_MATTER)})"
_OF_NEWEST_SESSIONS_OF = (
    f"session IN ({_NEWEST_SESSIONS.format('WHERE bot = ?', SESSIONS_THAT_MATTER)})"
)
_TOUCHED_LATELY = (
    "client_order_id IN (SELECT json_extract(body, '$.fill.client_order_id') FROM events"
    f" WHERE seq > (SELECT max(seq) FROM events) - {EVENTS_THAT_ARE_NEW}"
    " AND kind = 'OrderFilled')"
)
_OF_EXECUTIONS = (
    "client_order_id IN (SELECT client_order_id FROM fills"
    " WHERE execution_id IN (SELECT value FROM json_each(?)))"
)
_OPEN = ", ".join(f"'{status.value}'" for status in OrderStatus if status.is_open)
"""As the index of open orders has it, word for word: else SQLite would not use it."""
_OF_A_SIGNAL = (
    f"{ORDERS.select_rows} WHERE bot = ? AND signal = ? AND signal >= {NUMBERS_FROM}"
    " ORDER BY intended_seq"
)
"""The last condition is that of the index of signals: else SQLite would not use it."""


class Records:
    """What is durable. Each answer is read in one go; two of them may lie a commit apart."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def orders(self, bot: str | None = None) -> tuple[OrderRecord, ...]:
        """Every order of one bot, or of all, in the order they were recorded."""
        if bot is None:
            return self._all(ORDERS, "ORDER BY intended_seq")
        return self._all(ORDERS, "WHERE bot = ? ORDER BY intended_seq", bot)

    def each_order(self) -> Iterator[OrderRecord]:
        """The same of all bots, each as it is read."""
        return self._each(ORDERS, "ORDER BY intended_seq")

    def order_count(self) -> int:
        """How many orders there are, of all bots."""
        return sum(number for (number,) in self._connection.execute("SELECT count(*) FROM orders"))

    def orders_in(self, session: str) -> tuple[OrderRecord, ...]:
        """Every order of this session, in the order they were recorded."""
        return self._all(ORDERS, "WHERE session = ? ORDER BY intended_seq", session)

    def entries_before(self, session: str, since: int) -> tuple[OrderRecord, ...]:
        """The entries of the last session before this one that were attempted from this market time
        on, in the order they were recorded.
        """
        before = "session = (SELECT max(session) FROM orders WHERE session < ?)"
        condition = f"WHERE {before} AND role = ? AND attempted_at >= ? ORDER BY intended_seq"
        return self._all(ORDERS, condition, session, Role.ENTRY.value, since)

    def orders_named(self, names: Iterable[str]) -> tuple[OrderRecord, ...]:
        """Those of these orders that are on record."""
        condition = f"WHERE {ORDERS.of_a_key}"
        return tuple(order for name in names for order in self._all(ORDERS, condition, name))

    def names_that_matter(self, bot: str | None, lots: Iterable[str]) -> tuple[str, ...]:
        """The orders of a bot, or of all, that whoever starts has to know, as they were recorded:
        that may be live, of the newest sessions, that something came on record of lately, and
        those of which these executions (`lots`) were.

        Each part is found by an index: a record of years takes no longer than one of a week.
        """
        wanted = msgspec.json.encode(list(lots)).decode()
        found: dict[str, int] = {}
        for condition, arguments in (
            (f"status IN ({_OPEN})", ()),
            (_OF_NEWEST_SESSIONS_OF if bot else _OF_NEWEST_SESSIONS, (bot,) if bot else ()),
            (_TOUCHED_LATELY, ()),
            (_OF_EXECUTIONS, (wanted,)),
        ):
            select = f"SELECT client_order_id, bot, intended_seq FROM orders WHERE {condition}"
            rows = self._connection.execute(select, arguments)
            found.update((name, seq) for name, owner, seq in rows if bot in (None, owner))
        return tuple(sorted(found, key=found.__getitem__))

    def open_orders(self) -> tuple[OrderRecord, ...]:
        """Every order that may be, or come to life, at the venue, in the order of recording."""
        return self._all(ORDERS, f"WHERE status IN ({_OPEN}) ORDER BY intended_seq")

    def given_up_outside(self, session: str) -> tuple[OrderRecord, ...]:
        """The absent orders of all other sessions, in the order of recording. All orders are gone
        through for it: there are few starts, and an index would cost every order.
        """
        absent = OrderStatus.ABSENT.value
        condition = "WHERE status = ? AND session <> ? ORDER BY intended_seq"
        return self._all(ORDERS, condition, absent, session)

    def fills(self, bot: str | None = None) -> tuple[FillRecord, ...]:
        """Every execution counted for one bot, or for all, in the order they were recorded."""
        if bot is None:
            return self._all(FILLS, "ORDER BY seq")
        return self._all(FILLS, "WHERE bot = ? ORDER BY seq", bot)

    def each_fill(self) -> Iterator[FillRecord]:
        """The same of all bots, each as it is read."""
        return self._each(FILLS, "ORDER BY seq")

    def fills_of(self, names: Iterable[str]) -> tuple[FillRecord, ...]:
        """Every execution of these orders, order by order."""
        condition = "WHERE client_order_id = ? ORDER BY seq"
        return tuple(fill for name in names for fill in self._all(FILLS, condition, name))

    def fills_from(self, at: int) -> tuple[FillRecord, ...]:
        """Every execution from this market time on; all are gone through for it."""
        rows = self._connection.execute(
            f"{FILLS.select_entities} WHERE at >= ? ORDER BY seq", (at,)
        )
        return tuple(FILLS.decode(row) for row in rows)

    def fees(self) -> tuple[FeeOnRecord, ...]:
        """Every fee, in the order they were recorded."""
        return self._all(FEES, "ORDER BY seq, client_order_id, execution_id")

    def each_fee(self) -> Iterator[FeeOnRecord]:
        """The same, each as it is read."""
        return self._each(FEES, "ORDER BY seq, client_order_id, execution_id")

    def open_fees(self, *bases: FeeBasis) -> tuple[FeeOnRecord, ...]:
        """Those that are known on one of these bases, but not booked, as they were recorded."""
        places = ", ".join("?" * len(bases))
        condition = f"WHERE basis <> 'booked' AND basis IN ({places}) ORDER BY seq"
        return self._all(FEES, condition, *(basis.value for basis in bases))

    def fees_of_orders(self, names: Iterable[str]) -> tuple[FeeOnRecord, ...]:
        """Those of the executions of these orders; "" names the account's own."""
        condition = "WHERE client_order_id = ? ORDER BY seq"
        return tuple(fee for name in names for fee in self._all(FEES, condition, name))

    def fee_bookings(self) -> tuple[BookingOnRecord, ...]:
        """Every activity that was taken up, in that order."""
        return self._all(FEE_BOOKINGS, "ORDER BY seq")

    def has_booked(self, activity_id: str, asset: str) -> bool:
        """Whether this activity was taken up."""
        return bool(self._all(FEE_BOOKINGS, f"WHERE {FEE_BOOKINGS.of_a_key}", activity_id, asset))

    def stops_of(self, execution_ids: Iterable[str]) -> dict[str, Decimal]:
        """The protective stop that the order of each execution was wanted with, if it had one.

        Where executions of two orders have one id and the orders do not agree, nothing is said.
        All fills are gone through once; an index on these ids would cost every start more.
        """
        wanted = msgspec.json.encode(list(execution_ids)).decode()
        found: dict[str, set[Decimal | None]] = defaultdict(set)
        for execution_id, body in self._connection.execute(_ORDERS_OF_EXECUTIONS, (wanted,)):
            found[execution_id].add(intended_in(body).intent.protective_stop)
        return {
            execution_id: stop
            for execution_id, stops in found.items()
            for stop in stops
            if stop is not None and len(stops) == 1
        }

    def inventories(self, bot: str | None = None) -> tuple[BotInventory, ...]:
        """What one bot, or every one, holds, and what it held once, by bot and symbol."""
        if bot is None:
            return self._all(INVENTORIES, "ORDER BY bot, symbol")
        return self._all(INVENTORIES, "WHERE bot = ? ORDER BY symbol", bot)

    def sub_ledgers(self, bot: str | None = None) -> tuple[SubLedger, ...]:
        """The money of one bot, or of every one, by bot."""
        if bot is None:
            return self._all(SUB_LEDGERS, "ORDER BY bot")
        return self._all(SUB_LEDGERS, "WHERE bot = ?", bot)

    def counters(self, session: str | None = None) -> tuple[SessionCounters, ...]:
        """What every bot has done, in one session or in all."""
        if session is None:
            return self._all(COUNTERS, "ORDER BY session, bot")
        return self._all(COUNTERS, "WHERE session = ? ORDER BY bot", session)

    def budgets(self, session: str) -> dict[str, Decimal]:
        """What every bot was granted for this session."""
        rows = self._all(BUDGETS, "WHERE session = ? ORDER BY bot", session)
        return {str(bot): Decimal(str(amount)) for bot, _session, amount in rows}

    def last_budget_session(self) -> str:
        """The newest session for which anything was granted: the last one in which an engine was
        there to trade. "": there is none.
        """
        newest = self._connection.execute("SELECT max(session) FROM budgets")
        return next((str(session) for (session,) in newest if session is not None), "")

    def halts(self) -> tuple[Cause, ...]:
        """Every cause that stands, the oldest first."""
        return self._all(HALTS, "ORDER BY since, code")

    def values(self) -> dict[str, str]:
        """Every named value that was put."""
        return {str(key): str(value) for key, value in self._all(KV, "ORDER BY key")}

    def exclusions(self) -> tuple[Exclusion, ...]:
        """What operators leave alone by name."""
        return self._all(EXCLUSIONS, "ORDER BY kind, subject")

    def unclean_starts(self, since_wall: int) -> tuple[int, ...]:
        """When engines started after another end than in order, by the machine's clock (UTC ns).

        In the order of the events, whatever the clock did; those of before `since_wall`, and those
        of which it is not on record, are left out. So are those of before a storm of them that was
        let go: a person has looked into them.
        """
        select = "SELECT seq, body FROM events WHERE kind = 'EngineStarted' ORDER BY seq"
        starts = [(seq, decoded(body)) for seq, body in self._connection.execute(select)]
        found = [
            (seq, start.wall_at)
            for seq, start in starts
            if isinstance(start, EngineStarted) and start.after_unclean_end
            if start.wall_at and start.wall_at >= since_wall
        ]
        looked_into = self._storm_let_go_after(found[0][0]) if found else 0
        return tuple(wall_at for seq, wall_at in found if seq > looked_into)

    def _storm_let_go_after(self, first: int) -> int:
        """The event that did so last, from this one on; 0 if none did."""
        select = "SELECT seq, body FROM events WHERE seq > ? AND kind = 'HaltCleared'"
        cleared = ((seq, decoded(body)) for seq, body in self._connection.execute(select, (first,)))
        return max(
            (
                seq
                for seq, event in cleared
                if isinstance(event, HaltCleared) and event.code == RESTART_STORM.code
            ),
            default=0,
        )

    def facts(self) -> dict[str, str]:
        """What the ledger knows of itself: see the names in `projections`."""
        return {str(name): str(value) for name, value in self._all(FACTS, "ORDER BY name")}

    def decision_of(self, client_order_id: str) -> DecisionKey | None:
        """Whose order this is, or None if it is not one of ours."""
        select = f"{ORDERS.select_rows} WHERE client_order_id = ?"
        row = self._connection.execute(select, (client_order_id,)).fetchone()
        return None if row is None else decision_of(row)

    def decisions_of_signals(self, bot: str, numbers: Iterable[int]) -> dict[int, DecisionKey]:
        """What these outside signals led to, of this bot, however long ago; by the number."""
        return {
            number: decision_of(row)
            for number in numbers
            for row in self._connection.execute(_OF_A_SIGNAL, (bot, number))
        }

    def taken_in(self, session: str) -> Taken:
        """Each decision of a session, and each order's name, with the name that it leads to."""
        taken: Taken = {}
        select = f"{ORDERS.select_rows} WHERE session = ?"
        for row in self._connection.execute(select, (session,)):
            taken[row[0]] = taken[decision_of(row)] = row[0]
        return taken

    def written_since(self, at: int) -> tuple[Written, ...]:
        """What came on record of orders from this market time on, in the order of recording: back
        from the last event to the first that is older, so that it takes no longer with every event
        that there ever was.
        """
        newest_first = self._connection.execute("SELECT at, body FROM events ORDER BY seq DESC")
        recent = takewhile(lambda row: row[0] >= at, newest_first)
        found = [_written(at, decoded(body)) for at, body in recent]
        return tuple(each for each in reversed(found) if each is not None)

    def link_at(self, seq: int) -> str | None:
        """The link of an event, in hex; None if there is none of this number."""
        row = self._connection.execute("SELECT link FROM events WHERE seq = ?", (seq,)).fetchone()
        return None if row is None else row[0].hex()

    def _all(self, table: Table[E], condition: str, *arguments: str | int) -> tuple[E, ...]:
        return tuple(self._each(table, condition, *arguments))

    def _each(self, table: Table[E], condition: str, *arguments: str | int) -> Iterator[E]:
        rows = self._connection.execute(f"{_SELECT[table.name]} {condition}", arguments)
        return (table.decode(row) for row in rows)


def _written(at: int, event: LedgerEvent) -> Written | None:
    """What it says of an order; None: it is of something else."""
    match event:
        case OrderAttempted(client_order_id=name):
            return Written(at=at, client_order_id=name, event=Attempted())
        case FeeAccrued(fee=fee):
            return Written(at=at, client_order_id=fee.client_order_id, event=fee)
        case _ if isinstance(event, get_args(Outcome)):
            name = client_order_id_of(event)
            return Written(at=at, client_order_id=name, event=event_of(event))
        case _:
            return None
