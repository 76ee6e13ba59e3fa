"""A day of an account, as it stood when the snapshot was taken: pure, from ledger and surfaces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import starmap
from typing import Any

import msgspec
from msgspec import structs

from hydra.ops.surfaces.documents import AGE_MAX_S
from hydra.ops.surfaces.trading_time import TradingTime, trading_time_in
from hydra.trading.account_reading import AccountReading
from hydra.trading.equity_bridge import EquityBridge
from hydra.trading.exact import plain
from hydra.trading.sub_ledgers import BotInventory, SessionCounters, SubLedger
from hydra.trading.trading_state import Cause, CauseClass

SCHEMA = 1
DIFFERENCES_NAMED = 3
"""Of a bridge, where there is room for a few words."""


class BotDay(msgspec.Struct, frozen=True, kw_only=True):
    """What one bot did in the session by then, and its money since it began. Realised is before
    fees. `…_in_all` is of all sessions; None: of a snapshot that does not say.
    """

    bot: str
    entries: int = 0
    exits: int = 0
    rejections: int = 0
    fills: int = 0
    round_trips: int = 0
    realised: Decimal = Decimal(0)
    realised_in_all: Decimal = Decimal(0)
    cash: Decimal = Decimal(0)
    fills_in_all: int | None = None
    round_trips_in_all: int | None = None
    rejections_in_all: int | None = None


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A position, at what was paid for it on average (None: not known)."""

    bot: str
    symbol: str
    quantity: Decimal
    average_price: Decimal | None


class TradedFor(msgspec.Struct, frozen=True):
    """For how many seconds of the session trading was ACTIVE with this configuration, named as on
    any venue (`Settings.traded_as`).
    """

    configuration: str
    open_s: int


class LedgerAt(msgspec.Struct, frozen=True):
    """Up to which event the ledger was read: `chain` names it and everything before it."""

    seq: int
    chain: str


class Previous(msgspec.Struct, frozen=True):
    """The snapshot before this one, and the SHA-256 of its file."""

    date: str
    sha256: str


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One day, which goes from one opening of the exchange to the next; `date` is that of its
    session. The engine was seen last at `seen_at`.

    `equity` is the account's worth by then (None: not known). `unclean` says why the day is no day
    to show: nothing if it is one. `previous` None: it is the first. `reading` is the account as its
    venue showed it, and `bridge` the way to it from the reading before; None: it was not read.
    `session_s` and `traded` (for how long the session lasts, and could be traded) None: not known.
    `live`: on what ground real money was traded; None: it was not, or nobody says.
    """

    schema: int = SCHEMA
    date: str
    taken_at: str
    seen_at: str
    venue: str
    account: str | None
    configuration: str | None
    hydra: str
    equity: Decimal | None
    day_start: Decimal | None
    bots: tuple[BotDay, ...]
    positions: tuple[Held, ...]
    open_orders: int
    unknown_orders: int
    halts: tuple[str, ...]
    unclean: tuple[str, ...]
    ledger: LedgerAt
    previous: Previous | None
    reading: AccountReading | None = None
    bridge: EquityBridge | None = None
    session_s: int | None = None
    traded: tuple[TradedFor, ...] | None = None
    live: str | None = None


class OnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What of a ledger a snapshot is made of; all of one moment."""

    ledger: LedgerAt
    configuration: str | None
    sub_ledgers: Sequence[SubLedger]
    counters: Sequence[SessionCounters]
    """Of the session."""
    counters_of_all: Sequence[SessionCounters]
    """Of every session."""
    inventories: Sequence[BotInventory]
    open_orders: int
    unknown_orders: int
    halts: Sequence[Cause]
    ended_in_order: bool | None
    """Whether the last engine did; of one that runs it is not so yet."""
    live: str | None = None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What of the surfaces it is made of: the engine's own last word."""

    date: str
    seen_at: str
    account: str | None
    equity: Decimal | None
    day_start: Decimal | None
    coverage_pct: Decimal | None
    comparison_agrees: bool | None
    trading_time: TradingTime | None = None


def snapshot_of(
    record: OnRecord,
    seen: Seen,
    previous: Previous | None,
    *,
    venue: str,
    hydra: str,
    taken_at: str,
) -> Snapshot:
    """The day as both tell it."""
    time = seen.trading_time
    if time is not None and time.date != seen.date:
        time = None
    return Snapshot(
        date=seen.date,
        taken_at=taken_at,
        seen_at=seen.seen_at,
        venue=venue,
        account=seen.account,
        configuration=record.configuration,
        hydra=hydra,
        equity=seen.equity,
        day_start=seen.day_start,
        bots=tuple(_bots(record)),
        positions=tuple(_positions(record.inventories)),
        open_orders=record.open_orders,
        unknown_orders=record.unknown_orders,
        halts=tuple(sorted(cause.code for cause in record.halts)),
        unclean=tuple(_unclean(record, seen, taken_at)),
        ledger=record.ledger,
        previous=previous,
        session_s=None if time is None else time.session_s,
        traded=None if time is None else tuple(starmap(TradedFor, sorted(time.open_s.items()))),
        live=record.live,
    )


def with_account(snapshot: Snapshot, reading: AccountReading, bridge: EquityBridge) -> Snapshot:
    """The day with what its venue showed; unclean if that is not all explained."""
    unclean = snapshot.unclean
    if bridge.unexplained is not None and not bridge.is_zero:
        unclean = (*unclean, f"equity bridge: {bridge_in_words(bridge)}")
    return structs.replace(snapshot, reading=reading, bridge=bridge, unclean=unclean)


def bridge_in_words(bridge: EquityBridge | None) -> str | None:
    """What it comes to, in a few words; None: there is none."""
    if bridge is None:
        return None
    if bridge.unexplained is None:
        return f"not known: {bridge.unknown}"
    if bridge.is_zero:
        return "0.00 unexplained"
    what = "; ".join(each.what for each in bridge.differences[:DIFFERENCES_NAMED])
    return f"{plain(bridge.unexplained):f} USD unexplained ({what})"


def _bots(record: OnRecord) -> Iterable[BotDay]:
    money: Mapping[str, SubLedger] = {each.bot: each for each in record.sub_ledgers}
    did: Mapping[str, SessionCounters] = {each.bot: each for each in record.counters}
    for bot in sorted(money.keys() | did.keys()):
        of_session = did.get(bot, SessionCounters(bot=bot, session=""))
        of_all = money.get(bot, SubLedger(bot=bot))
        of_sessions = [each for each in record.counters_of_all if each.bot == bot]
        yield BotDay(
            bot=bot,
            entries=of_session.entries,
            exits=of_session.exits,
            rejections=of_session.rejections,
            fills=of_session.fills,
            round_trips=of_session.round_trips,
            realised=plain(of_session.realised),
            realised_in_all=plain(of_all.realised),
            cash=plain(of_all.cash),
            fills_in_all=sum(each.fills for each in of_sessions),
            round_trips_in_all=sum(each.round_trips for each in of_sessions),
            rejections_in_all=sum(each.rejections for each in of_sessions),
        )


def _positions(inventories: Iterable[BotInventory]) -> Iterable[Held]:
    for each in inventories:
        if each.inventory.position:
            yield Held(
                bot=each.bot,
                symbol=each.inventory.symbol,
                quantity=plain(each.inventory.position),
                average_price=each.inventory.average_price,
            )


def _unclean(record: OnRecord, seen: Seen, taken_at: str) -> Iterable[str]:
    """Why nobody should build on this day: what is not known counts as bad."""
    if record.ended_in_order is not True and _age_s(seen, taken_at) > AGE_MAX_S:
        yield f"the engine was not heard of since {seen.seen_at}"
    if seen.equity is None:
        yield "equity not known"
    if seen.comparison_agrees is not True:
        yield "record and venue did not agree"
    if seen.coverage_pct is None or seen.coverage_pct < 100:
        yield "not all that was held was protected"
    if record.unknown_orders:
        yield f"{record.unknown_orders} orders of unknown outcome"
    for cause in sorted(record.halts, key=lambda each: each.code):
        if cause.cause_class in (CauseClass.INTEGRITY, CauseClass.LIMIT) and cause.is_global:
            yield f"halted by {cause.code}"


def _age_s(seen: Seen, taken_at: str) -> float:
    taken = datetime.fromisoformat(taken_at)
    return abs((taken - datetime.fromisoformat(seen.seen_at)).total_seconds())


def encoded(snapshot: Snapshot) -> bytes:
    """As its file has it: JSON for people to read too, the same bytes for the same snapshot."""
    return msgspec.json.format(msgspec.json.encode(snapshot), indent=2) + b"\n"


def decoded(content: bytes) -> Snapshot:
    """Of such a file; fields that are not known are passed over. Raises MsgspecError."""
    return msgspec.json.decode(content, type=Snapshot)


def sha256_of(content: bytes) -> str:
    """By which the next snapshot names this one."""
    return hashlib.sha256(content).hexdigest()


def as_seen(
    nav: Mapping[str, Any], diagnostics: Mapping[str, Any], trading_time: Mapping[str, Any]
) -> Seen:
    """What three surfaces say; the last is empty of an engine that did not know it.

    Raises KeyError, TypeError, ValueError, ArithmeticError on what is none, and where no trading
    day has begun yet.
    """
    return Seen(
        date=date.fromisoformat(nav["trading_day"]).isoformat(),
        seen_at=_aware(nav["updated_at"]),
        account=nav["account"],
        equity=_amount(nav["equity"]),
        day_start=_amount(nav["day_start"]),
        coverage_pct=_amount(diagnostics["exit_pipeline"]["coverage_pct"]),
        comparison_agrees=diagnostics["comparison_agrees"],
        trading_time=trading_time_in(trading_time),
    )


def _aware(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(f"found {text!r}, wanted a time of UTC")
    return text


def _amount(text: object) -> Decimal | None:
    return None if text is None else plain(Decimal(str(text)))
