"""The ledger: what the engine meant to do and what became of it, durable before anyone is told.

One owner (the state persister), one connection. What is recorded is durable when `commit` has
returned, all of it together; until then nobody may be told of it, and reading does not show it.
Nothing in here tells the time: `at` is market time (UTC ns), by the caller.
"""

from collections.abc import Iterable
from contextlib import suppress
from decimal import Decimal, DecimalException
from pathlib import Path

import apsw
import msgspec

from hydra.crash_points import reached
from hydra.ports import IntentRecorded, LedgerMark, RecordRefused, ReportRecorded, Reworded
from hydra.store import halts_on_record, operator_acts, outcomes, projections
from hydra.store.backup import back_up, back_up_before
from hydra.store.checking import Head, LedgerDamaged, chain_head, require_state, state_of_tables
from hydra.store.connection import (
    BUSY_TIMEOUT_MS,
    connected,
    make_durable,
    require_sqlite,
)
from hydra.store.decisions import Decisions
from hydra.store.event_log import EventLog
from hydra.store.events import (
    AccountBound,
    AccountOpened,
    BudgetGranted,
    EngineStarted,
    EngineStopped,
    JournalMarked,
    LedgerBegun,
    OrderAttempted,
    OrderIntended,
    ValuePut,
    encoded,
    event_of_fees,
)
from hydra.store.one_user import OneUser
from hydra.store.reading import Records
from hydra.store.schema import NewerThanThisHydra, migrate, require_not_newer
from hydra.store.tables import FACTS, ORDERS, OrderRecord
from hydra.store.views import (
    RecordViews,
    book_of,
    fee_record_of,
    guardian_record_of,
    opening_cash_in,
)
from hydra.trading.differences import DifferenceKind
from hydra.trading.fees import (
    NO_FEES,
    Fee,
    FeeAct,
    FeeRecord,
    FeeSchedule,
)
from hydra.trading.late_lists import Written
from hydra.trading.order_life import ImpossibleReport
from hydra.trading.orders import DecisionKey, Fill, Order
from hydra.trading.reconciliation import RecordView
from hydra.trading.sub_ledgers import BotInventory, SessionCounters, SubLedger
from hydra.trading.trading_state import Cause
from hydra.trading.venue_view import VenueSnapshot
from messages.order_events import reports_in
from messages.orders import (
    OrderApproved,
    OrderIntent,
    Outcome,
    ReportStored,
    client_order_id_of,
)
from messages.positions import BookRecovered, Exclusion, GuardianRecord


class LedgerFailed(Exception):
    """The ledger cannot be read or written. Trading stops; only a restart may try it again."""


class ContentChanged(RecordRefused):
    """A decision or an order's name came back with other content; it names one order for ever."""


class OpenedOtherwise(RecordRefused):
    """The account's opening cash is on record, and is another one."""


class UnknownOrder(RecordRefused):
    """A report speaks of an order that this ledger never intended."""


class WrongOwner(Exception):
    """The ledger is of another venue or account than the one that is to be traded."""


REFUSALS = (DecimalException, ImpossibleReport, NewerThanThisHydra, RecordRefused, WrongOwner)
"""What is raised before anything was changed. After all else nobody knows what is recorded."""


class Ledger:
    """The record of everything that was meant, sent, filled, granted and halted.

    After the first failure it answers nothing but `LedgerFailed`: what was not proven durable then
    is never tried a second time on the same connection.
    """

    def __init__(self, connection: apsw.Connection, head: Head) -> None:
        """Take over a connection that is proven, migrated and checked; others use `open`."""
        self._connection = connection
        self._records = Records(connection)
        self._views = RecordViews(self._records)
        self._events = EventLog(connection, head)
        self._decisions = Decisions(self._records.taken_in)
        self._user = OneUser("the ledger", LedgerFailed, REFUSALS)

    @classmethod
    def open(
        cls, path: Path | str, *, venue: str, at: int, busy_timeout_ms: int = BUSY_TIMEOUT_MS
    ) -> "Ledger":
        """Open or create the ledger of a venue: settings proven, schema current, content checked.

        ":memory:" keeps nothing. Raises DurabilityRefused, LedgerDamaged, NewerThanThisHydra,
        NotALedger, WrongOwner, RightsTooOpen, or LedgerFailed if it cannot be opened at all.
        Killed at any moment, it can be called again (I59).
        """
        require_sqlite(apsw.sqlite_lib_version())
        try:
            connection = connected(path)
        except (apsw.Error, OSError) as error:
            raise LedgerFailed(f"cannot open the ledger {path}: {_words(error)}") from error
        reached("ledger.open.created")
        try:
            make_durable(connection, path, busy_timeout_ms)
            migrate(connection, lambda version: back_up_before(connection, Path(path), version))
            reached("ledger.open.proven")
            head = chain_head(connection)
            require_state(connection, head)
            reached("ledger.open.verified")
            ledger = cls(connection, head)
            ledger._belong_to(venue, at)
            return ledger
        except (apsw.CorruptError, apsw.NotADBError, UnicodeDecodeError) as error:
            _let_go(connection)
            raise LedgerDamaged(
                f"{path}: {_words(error)}; keep the files as they are, and start from the newest"
                " proven backup"
            ) from error
        except (apsw.Error, msgspec.MsgspecError) as error:
            _let_go(connection)
            raise LedgerFailed(f"cannot open the ledger {path}: {_words(error)}") from error
        except BaseException:
            _let_go(connection)
            raise

    @property
    def mark(self) -> LedgerMark:
        """What is durable: the number of the last event, and the link that names all of them."""
        return LedgerMark(self._events.head.seq, self._events.head.link.hex())

    def record_intent(self, approved: OrderApproved, at: int) -> IntentRecorded:
        """Record intent and attempt; once they are committed the order may be sent, not before.

        A duplicate was recorded before, by this very decision: it must not be sent again.
        Raises ContentChanged if the decision, or the order's name in its session, is taken by
        another content. (A name out of another session fails at the commit.)
        """
        event = OrderIntended(intent=approved.intent, order=approved.order)
        name = approved.order.client_order_id
        with self._user.working("record an intent"):
            body = encoded(event)
            duplicate = self._is_on_record(approved.intent.decision, name, body)
            if not duplicate:
                self._events.append(event, at, body)
                self._events.append(OrderAttempted(client_order_id=name), at)
                self._decisions.take(approved.intent.decision, name)
        return IntentRecorded(client_order_id=name, duplicate=duplicate)

    def record_report(
        self, report: Outcome, at: int, schedule: FeeSchedule = NO_FEES
    ) -> ReportRecorded:
        """Record an outcome; once it is committed others may act on it, not before.

        With an execution goes its fee by the schedule, in the same commit. Nothing in a duplicate
        is new: nothing was recorded, and nobody needs to be told. Of a rewording its words are new,
        and recorded; nobody needs to be told of it either.
        Raises UnknownOrder for an order that nobody intended, ImpossibleReport for one that
        contradicts what is on record.
        """
        name = client_order_id_of(report)
        with self._user.working("record a report"):
            order = self._events.get(ORDERS, name)
            if order is None:
                raise UnknownOrder(
                    f"{type(report).__name__} for {name}, which this ledger never meant to send:"
                    " it is foreign, or this is not the ledger it was sent from"
                )
            return outcomes.record(self._events, order, report, at, schedule)

    def take_up(
        self, snapshot: VenueSnapshot, at: int, schedule: FeeSchedule = NO_FEES
    ) -> tuple[ReportStored | Reworded, ...]:
        """Record all that the snapshot says of our orders and that is not on record yet.

        Only what the venue says itself, and as if it had been reported (I61). What cannot be true,
        by what is on record, is left out; a comparison names it. Gives what was recorded: what is
        stored is for those who act on reports, once it is committed.
        """
        taken_up: list[ReportStored | Reworded] = []
        with self._user.working("take up a snapshot"):
            for report in reports_in(snapshot):
                order = self._events.get(ORDERS, client_order_id_of(report))
                if order is None:
                    continue
                with suppress(ImpossibleReport, DecimalException):
                    found = outcomes.record(self._events, order, report, at, schedule)
                    if found.is_rewording:
                        taken_up.append(Reworded(found.decision, report))
                    elif not found.duplicate:
                        decision, fee = found.decision, found.fee
                        taken_up.append(ReportStored(decision=decision, report=report, fee=fee))
        return tuple(taken_up)

    def record_fees(self, act: FeeAct, at: int) -> None:
        """Record what a comparison has shown, or an activity has said, of fees."""
        with self._user.working("record fees"):
            self._events.append(event_of_fees(act), at)

    def bind_account(self, account: str, at: int) -> None:
        """The ledger is of this account from here on. Raises WrongOwner if it is of another."""
        with self._user.working("bind the account"):
            if not self._is_bound(projections.ACCOUNT, account):
                self._events.append(AccountBound(account=account), at)

    @property
    def account(self) -> str | None:
        """Whose ledger this is; None: nobody's yet."""
        with self._user.working("read the account"):
            return self._fact(projections.ACCOUNT)

    def open_account(self, cash: Decimal, at: int) -> None:
        """This cash was there before anything was traded. Raises OpenedOtherwise if other was."""
        with self._user.working("open the account"):
            before = self._opening_cash()
            if before is None and cash.is_finite():
                self._events.append(AccountOpened(cash=cash), at)
            elif before != cash:
                raise OpenedOtherwise(
                    f"the account opened with {before}, and is now said to have opened with {cash};"
                    " accept the difference as an adjustment, or find out which is true"
                )

    def adjust_cash(self, amount: Decimal, *, reason: str, operator: str, at: int) -> None:
        """An operator accepts so much more (less) cash, for no bot. Raises ActRefused."""
        with self._user.working("adjust the cash"):
            self._events.append(operator_acts.cash_adjusted(amount, reason, operator), at)

    def assign_position(
        self,
        bot: str,
        symbol: str,
        quantity: Decimal,
        *,
        price: Decimal,
        reason: str,
        operator: str,
        at: int,
    ) -> None:
        """An operator attributes so much (signed) to a bot at this price, in lots and in cash.

        The other side is unattributed, so the account's cash stays as it was. Raises ActRefused.
        """
        with self._user.working("assign a position"):
            event = operator_acts.position_assigned(bot, symbol, quantity, price, reason, operator)
            self._events.append(event, at)

    def exclude_difference(
        self,
        kind: DifferenceKind,
        subject: str,
        quantity: Decimal | None,
        *,
        reason: str,
        operator: str,
        at: int,
    ) -> None:
        """An operator leaves a difference alone by name: of a position so much (signed) of it.

        A quantity of zero takes it back; for a position none does too. Raises ActRefused.
        """
        with self._user.working("exclude a difference"):
            event = operator_acts.difference_excluded(kind, subject, quantity, reason, operator)
            self._events.append(event, at)

    def adopt_order(
        self, intent: OrderIntent, order: Order, *, reason: str, operator: str, at: int
    ) -> None:
        """An operator takes over for a bot an order that is at the venue, under its name there.

        From here on its reports are booked to that bot. Raises ActRefused, or ContentChanged if
        the name or the decision is that of an order on record.
        """
        with self._user.working("adopt an order"):
            event = operator_acts.order_adopted(intent, order, reason, operator)
            name, decision = order.client_order_id, intent.decision
            if self._events.get(ORDERS, name) is not None or self._is_taken(decision, name):
                raise ContentChanged(
                    f"order {name} or {decision} is on record; nothing was written"
                )
            self._events.append(event, at)
            self._decisions.take(decision, name)

    def engine_started(self, version: str, configuration: str, at: int, wall_at: int = 0) -> None:
        """A process goes on with this ledger. Raises NewerThanThisHydra if a later one had it.

        `wall_at` is the machine's clock (UTC ns).
        """
        with self._user.working("record a start"):
            require_not_newer(self._fact(projections.ENGINE), version)
            event = EngineStarted(
                version=version,
                configuration=configuration,
                wall_at=wall_at,
                after_unclean_end=self._is_running(),
            )
            self._events.append(event, at)

    def engine_stopped(self, reason: str, at: int) -> None:
        """The process ends in order."""
        with self._user.working("record a stop"):
            self._events.append(EngineStopped(reason=reason), at)

    def latch_halt(self, cause: Cause, at: int) -> None:
        """Record that a cause stands; the newest one of a code replaces the one before."""
        with self._user.working("record a halt"):
            halts_on_record.latch(self._events, cause, at)

    def clear_halt(self, code: str, reason: str, at: int) -> None:
        """Record that a cause is gone, and on what evidence."""
        with self._user.working("clear a halt"):
            halts_on_record.clear(self._events, code, reason, at)

    def grant_budget(self, bot: str, session: str, amount: Decimal, at: int) -> None:
        """Record what a bot may risk in a session; it replaces what it had."""
        with self._user.working("grant a budget"):
            self._events.append(BudgetGranted(bot=bot, session=session, amount=amount), at)

    def put(self, key: str, value: str, at: int) -> None:
        """Set a small named value."""
        with self._user.working("put a value"):
            self._events.append(ValuePut(key=key, value=value), at)

    def mark_journal(self, seq: int, at: int) -> None:
        """The journal is on the disk up to this line (I54); marking an earlier one does nothing."""
        with self._user.working("mark the journal"):
            if seq > self._journal_seq():
                self._events.append(JournalMarked(seq=seq), at)

    def commit(self) -> LedgerMark:
        """Make all that was recorded durable, in one transaction; gives the new mark."""
        with self._user.working("commit", may_refuse=False):
            if self._events.commit():
                self._decisions.committed()
        return self.mark

    @property
    def engine(self) -> str | None:
        """The version of the engine that used this ledger last; None if none ever did."""
        with self._user.working("read the engine"):
            return self._fact(projections.ENGINE)

    @property
    def unclean_end(self) -> bool:
        """The process before did not say that it stopped (I03)."""
        with self._user.working("read how it ended"):
            return self._is_running()

    def unclean_starts(self, since_wall: int) -> tuple[int, ...]:
        """When the machine's clock (UTC ns) stood at durable starts after an unclean end (I75).

        The newest is this process's, if its start was one. Those of before `since_wall` are left
        out, and those of which no time is on record.
        """
        with self._user.working("read the starts"):
            return self._records.unclean_starts(since_wall)

    @property
    def opening_cash(self) -> Decimal | None:
        """The account's cash before anything was traded; None if it was never looked at."""
        with self._user.working("read the opening cash"):
            return self._opening_cash()

    @property
    def journal_seq(self) -> int:
        """The journal line last marked; 0 if none was."""
        with self._user.working("read the journal's mark"):
            return self._journal_seq()

    def chain_at(self, seq: int) -> str | None:
        """The link of a durable event, in hex; None if there is none of this number."""
        with self._user.working("read the chain"):
            return self._records.link_at(seq)

    def decision_of(self, client_order_id: str) -> DecisionKey | None:
        """Whose order this is, or None if it is not one of ours."""
        with self._user.working("look up a decision"):
            return self._records.decision_of(client_order_id)

    def orders(self) -> tuple[OrderRecord, ...]:
        """Every order, in the order they were recorded."""
        with self._user.working("read the orders"):
            return self._records.orders()

    @property
    def order_count(self) -> int:
        """How many orders there are, whatever became of them; none of them is read for it."""
        with self._user.working("count the orders"):
            return self._records.order_count()

    def open_orders(self) -> tuple[OrderRecord, ...]:
        """Every order that may be, or come to life, at the venue, in the order of recording."""
        with self._user.working("read the open orders"):
            return self._records.open_orders()

    def fills(self) -> tuple[Fill, ...]:
        """Every execution counted, in the order they were recorded."""
        with self._user.working("read the fills"):
            return tuple(record.fill for record in self._records.fills())

    def fees(self) -> tuple[Fee, ...]:
        """Every fee, in the order they were recorded."""
        with self._user.working("read the fees"):
            return tuple(record.fee for record in self._records.fees())

    def inventories(self) -> tuple[BotInventory, ...]:
        """What every bot holds, and what it held once, by bot and symbol."""
        with self._user.working("read the lots"):
            return self._records.inventories()

    def sub_ledgers(self) -> tuple[SubLedger, ...]:
        """Every bot's money, by bot."""
        with self._user.working("read the sub-ledgers"):
            return self._records.sub_ledgers()

    def counters(self, session: str) -> tuple[SessionCounters, ...]:
        """What every bot has done in this session, by bot."""
        with self._user.working("read the counters"):
            return self._records.counters(session)

    def budgets(self, session: str) -> dict[str, Decimal]:
        """What every bot was granted for this session."""
        with self._user.working("read the budgets"):
            return self._records.budgets(session)

    def last_budget_session(self) -> str:
        """The newest session for which anything was granted; "": there is none."""
        with self._user.working("read the budgets"):
            return self._records.last_budget_session()

    def halts(self) -> tuple[Cause, ...]:
        """Every cause that stands, the oldest first."""
        with self._user.working("read the halts"):
            return self._records.halts()

    def get(self, key: str) -> str | None:
        """The value last put under this key."""
        with self._user.working("get a value"):
            return self._records.values().get(key)

    def exclusions(self) -> tuple[Exclusion, ...]:
        """What operators leave alone by name."""
        with self._user.working("read the exclusions"):
            return self._records.exclusions()

    def book(self, bot: str | None) -> BookRecovered:
        """What an actor that has just started has to know, of one bot or of all."""
        with self._user.working("read the book"):
            return book_of(self._records, bot)

    def decisions_of_signals(self, bot: str, numbers: Iterable[int]) -> dict[int, DecisionKey]:
        """What these outside signals led to, of this bot, however long ago; by the number."""
        with self._user.working("look up signals"):
            return self._records.decisions_of_signals(bot, numbers)

    def guardian_record(self, session: str, entries_since: int | None = None) -> GuardianRecord:
        """All that the guardian's counts are rebuilt from; of other days few orders are in it."""
        with self._user.working("read the guardian's record"):
            return guardian_record_of(self._records, session, entries_since)

    def record_view(self, snapshot: VenueSnapshot) -> RecordView:
        """Our side of a comparison with this snapshot, as far as it is durable."""
        with self._user.working("read for a comparison"):
            return self._views.of(snapshot, self._events.head.seq)

    def written_since(self, at: int) -> tuple[Written, ...]:
        """What came on record of orders from this market time on, as far as it is durable."""
        with self._user.working("read what was written last"):
            return self._records.written_since(at)

    def fee_record(self, snapshot: VenueSnapshot) -> FeeRecord:
        """What is durable of fees, for a comparison with this snapshot."""
        with self._user.working("read the fees for a comparison"):
            return fee_record_of(self._records, snapshot)

    def state_hash(self) -> str:
        """Names the whole state: the same events give the same one, live, replayed or restored."""
        with self._user.working("hash the state"):
            return state_of_tables(self._connection).digest.hex()

    def copy_to(self, target: Path) -> None:
        """Leave a proven copy of what is durable there. Raises LedgerDamaged, OSError."""
        with self._user.working("copy the ledger"):
            back_up(self._connection, target)

    def close(self) -> None:
        """Give the database back, whole; what was not committed is gone. Twice does nothing.

        After a failure its files stay as they are, for whoever finds out why.
        """
        self._close(tidy=not self._user.has_failed)

    def abandon(self) -> None:
        """Give the database back and leave its files as they are. Twice does nothing."""
        self._close(tidy=False)

    def _close(self, *, tidy: bool) -> None:
        self._user.require_own_process("close")
        self._user.end("it is closed")
        try:
            if tidy:
                self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
            self._connection.close()
        except apsw.Error as error:
            raise self._user.failure("close", error) from error

    def _belong_to(self, venue: str, at: int) -> None:
        if not self._is_bound(projections.VENUE, venue):
            self._events.append(LedgerBegun(venue=venue), at)
            self._events.commit()

    def _is_bound(self, fact: str, wanted: str) -> bool:
        found = self._fact(fact)
        if found not in (None, wanted):
            raise WrongOwner(
                f"{self._connection.filename or 'the ledger'} is of {fact} {found}, and this is"
                f" {wanted}; use the state folder of {wanted}"
            )
        return found is not None

    def _fact(self, name: str) -> str | None:
        row = self._events.get(FACTS, name)
        return None if row is None else str(row[1])

    def _is_running(self) -> bool:
        return self._fact(projections.RUNNING) == "yes"

    def _opening_cash(self) -> Decimal | None:
        return opening_cash_in(self._fact(projections.OPENING_CASH))

    def _journal_seq(self) -> int:
        return int(self._fact(projections.JOURNAL) or 0)

    def _is_taken(self, decision: DecisionKey, name: str) -> bool:
        taken = self._decisions.taken_in(decision.session)
        return decision in taken or name in taken

    def _is_on_record(self, decision: DecisionKey, name: str, body: bytes) -> bool:
        if not self._is_taken(decision, name):
            return False
        record = self._events.get(ORDERS, name)
        if record is not None:
            # Written anew: what was recorded before a field was added has the field by now.
            known = OrderIntended(intent=record.intent, order=record.state.order)
            if encoded(known) == body:
                return True
        taken = self._decisions.taken_in(decision.session)
        raise ContentChanged(
            f"order {name} of {decision} is on record with other content, as"
            f" {taken.get(decision, name)}; nothing was written or sent"
        )


def _let_go(connection: apsw.Connection) -> None:
    # The first error is the one that is seen.
    with suppress(apsw.Error):
        connection.close(True)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
