"""What a session came to, as one value: for `state.json`, for the page, and for whoever asks."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from hydra.ops.artefacts.book import SessionBook, Written
from hydra.ops.artefacts.entries import DENIED, Denials
from hydra.ops.artefacts.execution import ExecutionTold, Measured, RegimeTold
from hydra.ops.artefacts.halts import Halts, HaltTold, is_halting
from hydra.ops.artefacts.opening import Opening
from hydra.ops.artefacts.provenance import Provenance
from hydra.ops.artefacts.rows import COLUMNS, ORDERS, Row
from hydra.ops.artefacts.story import Line
from hydra.ops.artefacts.troubles import Trouble, Troubles
from hydra.store.journal_line import timestamp
from hydra.trading.exact import add, plain, subtract, total
from hydra.trading.trading_state import TradingState
from messages.summary import OpenLot, Trade

_ZERO = Decimal(0)


class BotResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one bot made in the session (USD). `result` is `traded` less `fees`."""

    bot: str
    orders: int
    denied: int
    trades: int
    won: int
    traded: Decimal
    fees: Decimal
    result: Decimal


class DenialCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often one check said no, and the first time that it did."""

    check: str
    count: int
    first_at: str
    bot: str
    symbol: str
    reason: str


class AgainstLedger(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the sums of the bundle are the ledger's. `agrees` None: nobody could compare them."""

    agrees: bool | None
    found: tuple[str, ...]
    """What differs, or why nothing could be compared, one line each."""


NOT_COMPARED = AgainstLedger(agrees=None, found=("the session has not been closed yet",))


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A session, so far or as a whole. Times are market time, ISO 8601 in UTC; money is USD."""

    session: str
    mode: str
    venue: str
    account: str | None
    origin: str
    dry_run: bool
    began_at: str
    told_until: str
    is_closed: bool
    how_it_ended: str | None
    exit_code: int | None
    trading_state: str
    was_open: bool
    """Trading was open at some time."""
    orders: dict[str, int]
    """How many, by how they ended; `denied` are intents that became none."""
    bots: tuple[BotResult, ...]
    result: Decimal
    cash: Decimal | None
    equity: Decimal | None
    held: tuple[OpenLot, ...]
    trades: tuple[Trade, ...]
    denials: tuple[DenialCount, ...]
    halts: tuple[HaltTold, ...]
    troubles: tuple[Trouble, ...]
    slowest_decision: int | None
    """The longest time (market ns) from a decision to the venue's acceptance of its order."""
    coverage_pct: Decimal | None = None
    """The least of what was held that was protected at any time, by a stop at the venue or a guard
    of the engine; None: not measured.
    """
    execution: tuple[ExecutionTold, ...] = ()
    """How the last orders of each symbol got done, as it was measured last."""
    router: str | None = None
    """The worst that the way of orders was; None: too few orders to say."""
    regimes: tuple[RegimeTold, ...] = ()
    not_understood: int = 0
    """Lines of the story that could not be taken."""
    ledger: AgainstLedger = NOT_COMPARED


class Told:
    """A session as far as its story was told: its tables, and all else that a report says."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.book = SessionBook(opening)
        self.halts = Halts(opening.standing)
        self.troubles = Troubles()
        self.trading_state = "HALTED"
        """The last one that was told; every session begins halted."""
        self.was_open = False
        """Trading was open at some time."""
        self.began_at: str | None = None
        self.coverage_pct: Decimal | None = None
        """The least that was told."""
        self.measured = Measured()
        self.bots: tuple[str, ...] = ()
        """Those that there are, whatever they do."""

    def take(self, line: Line) -> tuple[Written, ...]:
        """What is new in the tables by this line."""
        self.halts.take(line)
        self.troubles.take(line)
        self.measured.take(line)
        if line["event"] == "trading_state":
            self.trading_state = str(line.get("state"))
            self.was_open |= self.trading_state == TradingState.ACTIVE.name
        elif line["event"] == "coverage_changed" and line.get("is_known"):
            pct = Decimal(str(line.get("pct")))
            self.coverage_pct = pct if self.coverage_pct is None else min(self.coverage_pct, pct)
        elif line["event"] == "session_started":
            self.began_at = line["ts"]
            bots = line.get("bots")
            self.bots = tuple(map(str, bots)) if isinstance(bots, list) else ()
        return self.book.take(line)


def told_by(opening: Opening, lines: Iterable[Line]) -> tuple[Told, dict[str, list[Row]]]:
    """A whole story, and every row of every table."""
    told = Told(opening)
    tables: dict[str, list[Row]] = {file: [] for file in COLUMNS}
    for line in lines:
        for file, row in told.take(line):
            tables[file].append(row)
    ended = map(told.book.as_it_ended, tables[ORDERS])
    tables[ORDERS] = [*ended, *told.book.open_rows()]
    return told, tables


def report_of(provenance: Provenance, told: Told, ledger: AgainstLedger = NOT_COMPARED) -> Report:
    """The session as it was told."""
    run, ended, book = provenance.run, provenance.how_it_ended, told.book
    bots = bot_results(book, told.bots)
    until = book.told_until if book.told_until is not None else provenance.began_at
    return Report(
        session=provenance.session,
        mode=run.mode,
        venue=run.venue,
        account=run.account,
        origin=run.origin,
        dry_run=run.dry_run,
        began_at=told.began_at or timestamp(provenance.began_at),
        told_until=timestamp(until),
        is_closed=provenance.is_closed,
        how_it_ended=ended,
        exit_code=provenance.exit_code,
        trading_state=told.trading_state,
        was_open=told.was_open,
        orders=_orders_by_end(book),
        bots=bots,
        result=total(each.result for each in bots),
        cash=_plain(book.holdings.cash),
        equity=_plain(book.holdings.equity),
        held=tuple(_held(book)),
        trades=tuple(book.trades),
        denials=denial_counts(book.denials),
        halts=tuple(halt for halt in told.halts.all if is_halting(halt)),
        troubles=told.troubles.all,
        slowest_decision=book.slowest_decision,
        coverage_pct=told.coverage_pct,
        execution=told.measured.execution,
        router=told.measured.router,
        regimes=told.measured.regimes,
        not_understood=book.not_understood,
        ledger=ledger,
    )


def as_state(report: Report) -> bytes:
    """The report as `state.json` has it; decimals are strings, as they are recorded."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def bot_results(book: SessionBook, named: Iterable[str] = ()) -> tuple[BotResult, ...]:
    """Each bot's, by name; `named` are those that there were, whatever they did."""
    orders = Counter(
        entry.intent.decision.bot for entry in book.orders.values() if entry.intent is not None
    )
    denied = book.denials.by_bot
    made: dict[str, Decimal] = {}
    for (bot, _symbol), amount in book.holdings.realised.items():
        made[bot] = add(made.get(bot, _ZERO), amount)
    fees = book.holdings.fees
    results = []
    for bot in sorted({*named, *orders, *denied, *made, *fees}):
        own = [trade.realised for trade in book.trades if trade.bot == bot]
        result, kept = made.get(bot, _ZERO), fees.get(bot, _ZERO)
        results.append(
            BotResult(
                bot=bot,
                orders=orders[bot],
                denied=denied[bot],
                trades=len(own),
                won=sum(realised > 0 for realised in own),
                traded=plain(add(result, kept)),
                fees=plain(kept),
                result=plain(result),
            )
        )
    return tuple(results)


def denial_counts(denials: Denials) -> tuple[DenialCount, ...]:
    """By check, the most frequent first."""
    counts = denials.by_check

    def rank(check: str) -> tuple[int, str]:
        return -counts[check], check

    return tuple(
        DenialCount(
            check=check,
            count=counts[check],
            first_at=timestamp(found.at),
            bot=found.intent.decision.bot,
            symbol=found.intent.decision.symbol,
            reason=found.reason,
        )
        for check in sorted(counts, key=rank)
        for found in [denials.first[check]]
    )


def against(
    told: Told,
    realised: dict[str, Decimal],
    positions: dict[tuple[str, str], Decimal],
) -> AgainstLedger:
    """Hold the bundle's sums against the ledger's: what each bot has made since, and holds."""
    book, opening, found = told.book, told.opening, []
    own = {each.bot: each.result for each in bot_results(book)}
    for bot in sorted({*own, *realised}):
        before = opening.realised.get(bot, _ZERO)
        by_ledger = subtract(realised.get(bot, _ZERO), before)
        if by_ledger != own.get(bot, _ZERO):
            ours = plain(own.get(bot, _ZERO))
            found.append(f"{bot}: the ledger has {plain(by_ledger)} USD realised, this {ours}")
    held = {place: lots.position for place, lots in book.holdings.lots.items() if lots.lots}
    for place in sorted({*held, *positions}):
        ours, theirs = held.get(place, _ZERO), positions.get(place, _ZERO)
        if ours != theirs:
            bot, symbol = place
            found.append(f"{bot}: the ledger has {plain(theirs)} {symbol}, this {plain(ours)}")
    return AgainstLedger(agrees=not found, found=tuple(found))


def _orders_by_end(book: SessionBook) -> dict[str, int]:
    counts = Counter(entry.state.status.value for entry in book.orders.values())
    if book.denials.by_check:
        counts[DENIED] = book.denials.by_check.total()
    return dict(sorted(counts.items()))


def _held(book: SessionBook) -> Iterable[OpenLot]:
    for (bot, symbol), lots in sorted(book.holdings.lots.items()):
        average = lots.average_price
        if average is None:
            continue
        price = book.holdings.prices.get(symbol)
        yield OpenLot(
            bot=bot,
            symbol=symbol,
            quantity=lots.position,
            average_price=plain(average),
            last_price=price,
            unrealised=None if price is None else lots.unrealised(price),
        )


def _plain(value: Decimal | None) -> Decimal | None:
    return None if value is None else plain(value)
