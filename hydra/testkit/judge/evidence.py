"""What an engine's runs have left on the disk, read for a judge and for nobody else.

Three witnesses that were written by different hands: the venue's log (what came to it), the ledger
(what was on record before), the journal (what was said, in which order). An account's life lies in
a folder; those that are over were set aside, and are read as well. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import apsw
import msgspec
from msgspec import structs

from hydra.store.engine_files import EngineFiles
from hydra.store.events import (
    AccountOpened,
    CashAdjusted,
    EngineStarted,
    EngineStopped,
    FeeAccrued,
    FeeBooked,
    FeesObserved,
    LedgerEvent,
    OrderAttempted,
    OrderIntended,
    PositionAssigned,
    decoded,
)
from hydra.store.halt_marker import Halted, read_halt_marker
from hydra.store.journal_files import files_of
from hydra.store.journal_line import moment_of
from hydra.store.journal_reading import Finding, everything_in
from hydra.store.lives import CarriedHalts
from hydra.store.looking import looked_at
from hydra.store.reading import Records
from hydra.testkit.judge.in_process_venue import InProcessVenue
from hydra.testkit.judge.served_venue import ServedVenue
from hydra.testkit.judge.venue_evidence import Asked, VenueEvidence
from hydra.trading.exact import add, multiply, subtract
from hydra.trading.fees import USD
from hydra.trading.instruments import value_of
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order
from hydra.trading.trading_state import Cause
from hydra.venues.simulated.request_log import read_lines, read_log
from hydra.venues.simulated.server.log_lines import FORMAT
from messages.orders import OrderFilled, OrderIntent


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the ledger: its number, the market time, and what it says."""

    seq: int
    at: int
    event: LedgerEvent


class OrderOnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An order that the engine meant to send, as the ledger has it; `run` is the number of its run.

    `seq` and `at` (market time) are those of the newest of intent and attempts.
    """

    intent: OrderIntent
    order: Order
    seq: int
    at: int
    attempts: int
    status: OrderStatus
    run: int


class JournalLine(msgspec.Struct, frozen=True):
    """A line of the journal: its number, its market time (UTC ns), what it is, and all of it."""

    seq: int
    at: int
    event: str
    fields: dict[str, object]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One process that had the record, from the event of its start to the one before the next."""

    number: int
    started: Recorded
    wall_at: int
    after_unclean_end: bool
    ended_in_order: bool
    lines: tuple[JournalLine, ...] | None
    """What it wrote into the journal; None if that has been pruned since."""


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """All that was left of one account's life."""

    name: str
    asked: tuple[Asked, ...] = ()
    """What came to the venue."""
    events: tuple[Recorded, ...] = ()
    orders: dict[str, OrderOnRecord] = {}
    runs: tuple[Run, ...] = ()
    halts: tuple[Cause, ...] = ()
    """Those that stand in the ledger."""
    marked: tuple[Cause, ...] = ()
    """And in the halt marker."""
    values: dict[str, str] = {}
    findings: tuple[str, ...] = ()
    """What is wrong with the journal, beyond what a crash leaves."""
    venue: VenueEvidence | None = None
    """None: there never was one."""

    @property
    def sent(self) -> tuple[Asked, ...]:
        """Every request that would make an order."""
        return tuple(asked for asked in self.asked if asked.verb.makes_an_order)

    @property
    def fills(self) -> tuple[Fill, ...]:
        """Every execution on record, as often as it is there."""
        return tuple(r.event.fill for r in self.events if isinstance(r.event, OrderFilled))

    @property
    def positions(self) -> dict[str, Decimal]:
        """What the fills, net of fees, and what operators assigned come to; flat is left out."""
        held = {asset: amount.copy_negate() for asset, amount in self.fees.items() if asset != USD}
        for recorded in self.events:
            match recorded.event:
                case OrderFilled(fill=fill):
                    change = multiply(fill.quantity, Decimal(fill.side.sign))
                    held[fill.symbol] = add(held.get(fill.symbol, _ZERO), change)
                case PositionAssigned(symbol=symbol, quantity=quantity):
                    held[symbol] = add(held.get(symbol, _ZERO), quantity)
                case _:
                    pass
        return {symbol: quantity for symbol, quantity in held.items() if quantity}

    @property
    def fees(self) -> dict[str, Decimal]:
        """What the venue kept by what is known now: USD, and of coins by symbol."""
        known: dict[tuple[str, str], tuple[str, Decimal]] = {}
        for recorded in self.events:
            match recorded.event:
                case FeeAccrued(fee=fee):
                    known[fee.client_order_id, fee.execution_id] = (fee.asset, fee.amount)
                case FeesObserved(observation=observation):
                    for change in observation.changes:
                        name = change.client_order_id, change.execution_id
                        known[name] = (known[name][0], change.amount)
                case FeeBooked(booking=booking):
                    charge = booking.charge
                    known["", charge.activity_id] = (charge.asset, booking.of_the_account)
                case _:
                    pass
        kept: dict[str, Decimal] = {}
        for asset, amount in known.values():
            kept[asset] = add(kept.get(asset, _ZERO), amount)
        return kept

    @property
    def cash(self) -> Decimal | None:
        """What the record comes to; None if the account was never looked at."""
        opening, change = None, self.fees.get(USD, _ZERO).copy_negate()
        for recorded in self.events:
            match recorded.event:
                case AccountOpened(cash=cash):
                    opening = cash
                case CashAdjusted(amount=amount):
                    change = add(change, amount)
                case OrderFilled(fill=fill):
                    signed = multiply(fill.quantity, Decimal(fill.side.sign))
                    change = subtract(change, value_of(fill.symbol, signed, fill.price))
                case _:
                    pass
        return None if opening is None else add(opening, change)


def lives_in(files: EngineFiles) -> tuple[Life, ...]:
    """Every account's life, those that are over first."""
    folders = sorted(files.ended.iterdir()) if files.ended.is_dir() else []
    ended = [_set_aside(files, folder) for folder in folders]
    newest = files
    if ended and not ended[-1].ledger.exists():  # killed before all of it was there
        newest = _joined(ended.pop(), files)
    return tuple(life_in(each) for each in (*ended, newest))


def life_in(files: EngineFiles) -> Life:
    """The one that these files are of."""
    venue = venue_in(files)
    journal, findings = _journal(files.journal)
    marked = read_halt_marker(files.halt_marker)
    life = Life(
        name=str(files.ledger.parent),
        asked=() if venue is None else venue.asked,
        venue=venue,
        findings=findings,
        marked=marked.causes if isinstance(marked, Halted) else (),
    )
    if not files.ledger.exists():
        return life

    def look(connection: apsw.Connection) -> Life:
        if connection.pragma("user_version") == 0:  # killed before there was anything in it
            return life
        records = Records(connection)
        rows = connection.execute("SELECT seq, at, body FROM events ORDER BY seq")
        events = tuple(Recorded(seq=seq, at=at, event=decoded(body)) for seq, at, body in rows)
        runs = tuple(_runs(events, journal))
        statuses = {
            order.state.order.client_order_id: order.state.status for order in records.orders()
        }
        return structs.replace(
            life,
            events=events,
            runs=runs,
            orders=_orders(events, statuses),
            halts=records.halts(),
            values=records.values(),
        )

    return looked_at(files.ledger, files.lock, look)


def venue_in(files: EngineFiles) -> VenueEvidence | None:
    """What the venue of these files wrote; None if it wrote nothing.

    Raises LookupError if there were two: nobody could say which of them the engine traded on.
    """
    in_process, served = files.venue_log, files.venue_account
    if in_process.exists() and served.exists():
        raise LookupError(f"found both {in_process} and {served}; wanted one venue of an account")
    if in_process.exists() and (lines := read_log(in_process)):
        return InProcessVenue(in_process, lines)
    if served.exists() and (read := read_lines(served, FORMAT)):
        return ServedVenue(served, read)
    return None


def carried_in(files: EngineFiles) -> tuple[Cause, ...]:
    """The halts that are on their way from one life to the next."""
    if not files.carried_halts.exists():
        return ()
    return msgspec.json.decode(files.carried_halts.read_bytes(), type=CarriedHalts).halts


def market_time_of(text: object) -> int:
    """The `ts` of a line as UTC ns."""
    assert isinstance(text, str), "every line has one"
    return moment_of(text)


def _set_aside(files: EngineFiles, folder: Path) -> EngineFiles:
    """Whatever it lay in before, it lies directly in the folder now."""
    return structs.replace(
        files,
        ledger=folder / files.ledger.name,
        journal=folder / files.journal.name,
        venue_log=folder / files.venue_log.name,
        venue_account=folder / files.venue_account.name,
        halt_marker=folder / files.halt_marker.name,
    )


def _joined(set_aside: EngineFiles, files: EngineFiles) -> EngineFiles:
    """Of a life that is set aside in part: each file where it is now."""
    parts = ("journal", "venue_log", "venue_account", "halt_marker")
    gone = [part for part in parts if not getattr(files, part).exists()]
    return structs.replace(files, **{part: getattr(set_aside, part) for part in gone})


def _orders(
    events: Iterable[Recorded], statuses: dict[str, OrderStatus]
) -> dict[str, OrderOnRecord]:
    orders: dict[str, OrderOnRecord] = {}
    run = -1
    for recorded in events:
        match recorded.event:
            case EngineStarted():
                run += 1
            case OrderIntended(intent=intent, order=order):
                name = order.client_order_id
                orders[name] = OrderOnRecord(
                    intent=intent,
                    order=order,
                    seq=recorded.seq,
                    at=recorded.at,
                    attempts=0,
                    status=statuses[name],
                    run=run,
                )
            case OrderAttempted(client_order_id=name) if name in orders:
                known = orders[name]
                orders[name] = structs.replace(
                    known, attempts=known.attempts + 1, seq=recorded.seq, at=recorded.at
                )
            case _:
                pass
    return orders


def _runs(events: tuple[Recorded, ...], journal: tuple[JournalLine, ...]) -> Iterator[Run]:
    starts = [recorded for recorded in events if isinstance(recorded.event, EngineStarted)]
    stops = [recorded.seq for recorded in events if isinstance(recorded.event, EngineStopped)]
    told_from = _told_from(journal)
    for number, started in enumerate(starts):
        assert isinstance(started.event, EngineStarted), "they were chosen"
        ends_before = starts[number + 1].seq if number + 1 < len(starts) else events[-1].seq + 1
        yield Run(
            number=number,
            started=started,
            wall_at=started.event.wall_at,
            after_unclean_end=started.event.after_unclean_end,
            ended_in_order=any(started.seq < seq < ends_before for seq in stops),
            lines=_lines_of(started.seq, journal, told_from),
        )


def _told_from(journal: tuple[JournalLine, ...]) -> int:
    """From which event of the ledger on the journal is there; what is before was pruned."""
    if not journal or journal[0].seq == 1:
        return 0
    return min((_start_of(line) for line in journal if _start_of(line)), default=1 << 62)


def _lines_of(
    start: int, journal: tuple[JournalLine, ...], told_from: int
) -> tuple[JournalLine, ...] | None:
    """From the line that says that this run started, to the next one that says so of another."""
    if start < told_from:
        return None
    lines: list[JournalLine] = []
    for line in journal:
        named = _start_of(line)
        if named == start or (lines and not named):
            lines.append(line)
        elif lines:
            break
    return tuple(lines)


def _start_of(line: JournalLine) -> int:
    """The event that a line says is the start of a run; 0 if it says nothing of the kind."""
    seq = line.fields.get("ledger_seq")
    return seq if line.event == "engine_started" and isinstance(seq, int) else 0


def _journal(path: Path) -> tuple[tuple[JournalLine, ...], tuple[str, ...]]:
    """Every line that can be read, and all that is wrong besides what a crash leaves."""
    if not path.parent.is_dir() or not files_of(path):
        return (), ()
    lines: list[JournalLine] = []
    findings: list[str] = []
    for item in everything_in(path):
        if isinstance(item, Finding):
            if not item.is_left_by_a_crash:
                findings.append(f"{item.path.name}, line {item.line_number}: {item.reason}")
            continue
        seq = item["seq"]
        assert isinstance(seq, int), "the reader looked at it"
        at = market_time_of(item["ts"])
        lines.append(JournalLine(seq=seq, at=at, event=str(item["event"]), fields=item))
    return tuple(lines), tuple(findings)


_ZERO = Decimal(0)
