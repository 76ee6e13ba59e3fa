"""What a ledger says of itself, for whoever only looks."""

import apsw
import msgspec

from hydra.ports import LedgerMark
from hydra.store import projections
from hydra.store.chain import SqlValue
from hydra.store.checking import NOTHING
from hydra.store.events import EngineStopped, decoded
from hydra.store.reading import Records
from hydra.store.schema import MIGRATIONS, require_ours
from hydra.trading.order_life import OrderStatus
from hydra.trading.sub_ledgers import UNATTRIBUTED


class NoLedger(Exception):
    """There is no ledger here, or nothing in it yet, and nothing says that there ever was one."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How much stands in a ledger."""

    events: int = 0
    commits: int = 0
    orders: int = 0
    open_orders: int = 0
    fills: int = 0
    bots: int = 0
    halts: int = 0


class LedgerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a ledger says of itself. `ended_in_order` is None if no engine ever had it."""

    schema: int
    mark: LedgerMark
    state_hash: str
    counts: Counts
    facts: dict[str, str]
    halts: tuple[str, ...]
    """The codes of those that stand."""
    ended_in_order: bool | None
    end: str
    """How the last engine ended, in words."""

    @property
    def journal_seq(self) -> int:
        """The journal's line that was on the disk by the ledger's word; 0 if none was."""
        return int(self.facts.get(projections.JOURNAL, "0"))

    @property
    def had_an_engine(self) -> bool:
        """Not only begun: an engine has worked with it."""
        return projections.ENGINE in self.facts


NOTHING_YET = LedgerFacts(
    schema=0,
    mark=LedgerMark(NOTHING.seq, NOTHING.link.hex()),
    state_hash=NOTHING.state.hex(),
    counts=Counts(),
    facts={},
    halts=(),
    ended_in_order=None,
    end="no engine ever had it",
)
"""An empty database."""


def facts_of(connection: apsw.Connection, schema: int, state_hash: str) -> LedgerFacts:
    """Read from its tables. Raises what apsw raises, or msgspec for what cannot be decoded."""
    records = Records(connection)
    facts = records.facts()
    running = facts.get(projections.RUNNING)
    # By itself, as a ledger that waits for a migration has fewer columns there.
    codes = connection.execute("SELECT code FROM halts ORDER BY since, code")
    halts = tuple(str(code) for (code,) in codes)
    return LedgerFacts(
        schema=schema,
        mark=last_mark(connection),
        state_hash=state_hash,
        counts=_counts_of(connection),
        facts=facts,
        halts=halts,
        ended_in_order=None if running is None else running == "no",
        end=_end_of(connection, running),
    )


def require_current(connection: apsw.Connection) -> int:
    """The ledger's schema version, if it is this Hydra's own.

    Raises NoLedger of one that waits for a migration, and what `require_ours` raises.
    """
    version = require_ours(connection)
    if version < len(MIGRATIONS):
        raise NoLedger(
            f"{connection.filename}: found schema version {version}, wanted {len(MIGRATIONS)}; the"
            " next start of the engine migrates it, and `hydra-trader verify` looks at it as it is"
        )
    return version


def last_mark(connection: apsw.Connection) -> LedgerMark:
    """The mark of the last event."""
    for seq, link in connection.execute("SELECT seq, link FROM events ORDER BY seq DESC LIMIT 1"):
        return LedgerMark(seq, link.hex())
    return NOTHING_YET.mark


def _counts_of(connection: apsw.Connection) -> Counts:
    def count(of: str, *values: SqlValue) -> int:
        return sum(number for (number,) in connection.execute(f"SELECT count(*) FROM {of}", values))

    open_statuses = [status.value for status in OrderStatus if status.is_open]
    places = ", ".join("?" * len(open_statuses))
    return Counts(
        events=count("events"),
        commits=count("events WHERE state IS NOT NULL"),
        orders=count("orders"),
        open_orders=count(f"orders WHERE status IN ({places})", *open_statuses),
        fills=count("fills"),
        bots=count("sub_ledgers WHERE bot <> ?", UNATTRIBUTED),
        halts=count("halts"),
    )


def _end_of(connection: apsw.Connection, running: str | None) -> str:
    if running is None:
        return NOTHING_YET.end
    if running == "yes":
        return "it did not say that it stopped: killed, or a power cut"
    stop = "SELECT body FROM events WHERE kind = ? ORDER BY seq DESC LIMIT 1"
    for (body,) in connection.execute(stop, (EngineStopped.__name__,)):
        stopped = decoded(body)
        if isinstance(stopped, EngineStopped):
            return f"stopped in order: {stopped.reason}"
    return "stopped in order"
