"""What an engine left on the disk, and how it is falsified for those who are to notice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import msgspec
import orjson

from hydra.store.chain import SqlValue
from hydra.store.engine_files import EngineFiles
from hydra.store.events import HaltLatched, LedgerEvent, ValuePut, encoded, kind_of
from hydra.store.journal_line import line_of
from hydra.testkit.judge.case import MARKET
from hydra.testkit.judge.evidence import Life, Recorded, lives_in, market_time_of
from hydra.testkit.judge.venue_evidence import Asked
from hydra.testkit.judge.verdict import violations_in
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order
from hydra.trading.trading_state import Cause
from hydra.venues.simulated.market_data import MarketData
from messages.orders import OrderFilled
from tests.testkit.forged_logs import ForgedLog, log_of


class Past:
    """What an engine left, to be falsified. The market is over, and everything was heard."""

    def __init__(self, folder: Path, market: MarketData) -> None:
        self.files = files_in(folder)
        self._market = market

    @property
    def found(self) -> list[str]:
        """The judge's words."""
        return [str(each) for each in violations_in(self.files, (self._market,))]

    @property
    def life(self) -> Life:
        return lives_in(self.files)[-1]

    def sent(self, number: int) -> Asked:
        """The n-th order that came to the venue, from 1."""
        return self.life.sent[number - 1]

    def order(self, number: int) -> Order:
        """What the n-th one was."""
        order = self.sent(number).order
        assert order is not None, "so it was sent"
        return order

    def execution(self, number: int) -> str:
        """The venue's name of the n-th execution on record."""
        filled = self.event("OrderFilled", number).event
        assert isinstance(filled, OrderFilled), "it was chosen"
        return filled.fill.execution_id

    def event(self, kind: str, number: int = 1) -> Recorded:
        """The n-th event of this kind in the ledger."""
        of_kind = [r for r in self.life.events if type(r.event).__name__ == kind]
        return of_kind[number - 1]

    @property
    def log(self) -> ForgedLog[Any]:
        """The venue's log, to be falsified."""
        return log_of(self.files)

    def put_event(self, event: LedgerEvent, instead_of: Recorded) -> None:
        """Another event in the place of one."""
        self._put_body(instead_of, kind_of(event), encoded(event))

    def put_time(self, recorded: Recorded, at: int) -> None:
        """The event as if it had been recorded at another time."""
        self._execute("UPDATE events SET at = ? WHERE seq = ?", at, recorded.seq)

    def change_body(self, recorded: Recorded, change: Callable[[Any], None]) -> None:
        """The event with something else in it."""
        plain = plain_of(recorded)
        change(plain)
        self._put_body(recorded, plain["type"], orjson.dumps(plain))

    def set_status(self, name: str, status: OrderStatus) -> None:
        """What the ledger's table says of an order."""
        change = "UPDATE orders SET status = ? WHERE client_order_id = ?"
        self._execute(change, status.value, name)

    def change_journal(self, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
        """Each line as `change` gives it; None: it stays."""
        content = b""
        for line in self.files.journal.read_bytes().splitlines():
            record = orjson.loads(line)
            fields = change(dict(record)) or record
            ours = {name: fields.pop(name) for name in ("ts", "seq", "event", "crc")}
            content += line_of(
                market_time_of(ours["ts"]), ours["seq"], ours["event"], fields.items()
            )
        self.files.journal.write_bytes(content)

    def latch_in_journal(self, cause: Cause, before: Asked) -> None:
        """The journal says, in the last line that will do before the order, that this stands."""
        seqs = self._seqs("nothing_decided", before=self._seqs("intent_stored", before.name)[0])

        def latch(record: dict[str, Any]) -> dict[str, Any] | None:
            if record["seq"] != seqs[-1]:
                return None
            plain = msgspec.to_builtins(cause)
            return {**record, "event": "halt_latched", "cause": plain}

        self.change_journal(latch)

    def latch_in_ledger(self, cause: Cause, before: Asked) -> None:
        """The ledger says in an event before the order that this stands."""
        intended = self.life.orders[before.name].seq
        values = [r for r in self.life.events if isinstance(r.event, ValuePut)]
        before_it = [recorded for recorded in values if recorded.seq < intended]
        self.put_event(HaltLatched(cause=cause), before_it[-1])

    def latch_in_tables(self, cause: Cause) -> None:
        """It stands, by what the ledger's table says."""
        put = "INSERT INTO halts (code, cause_class, state, since, detail) VALUES (?, ?, ?, ?, ?)"
        words = (cause.code, cause.cause_class.value, cause.state.value, cause.since, cause.detail)
        self._execute(put, *words)

    def end_early(self) -> None:
        """As if the market were not over yet."""
        self._execute("DELETE FROM kv WHERE key = ?", MARKET)

    def forget_lines(self, before: int) -> None:
        """The journal was pruned up to this line."""
        lines = self.files.journal.read_bytes().splitlines(keepends=True)
        self.files.journal.write_bytes(b"".join(lines[before - 1 :]))

    def rename_line(self, event: str, to: str, name: str = "") -> None:
        """What a line of the journal is: nobody reads it as what it was."""
        seqs = self._seqs(event, name)

        def rename(record: dict[str, Any]) -> dict[str, Any] | None:
            return {**record, "event": to} if record["seq"] in seqs else None

        self.change_journal(rename)

    def _seqs(self, event: str, name: str = "", before: int = 1 << 62) -> list[int]:
        lines = (line for run in self.life.runs for line in run.lines or ())
        return [
            line.seq
            for line in lines
            if line.event == event and name in str(line.fields) and line.seq < before
        ]

    def _put_body(self, recorded: Recorded, kind: str, body: bytes) -> None:
        change = "UPDATE events SET kind = ?, body = ? WHERE seq = ?"
        self._execute(change, kind, body, recorded.seq)

    def _execute(self, statement: str, *values: SqlValue) -> None:
        connection = apsw.Connection(str(self.files.ledger))
        try:
            # What a forger would do first: the ledger itself only lets events be added.
            connection.execute("DROP TRIGGER IF EXISTS events_are_not_changed")
            connection.execute(statement, values)
        finally:
            connection.close()


def files_in(folder: Path) -> EngineFiles:
    """Where the engine keeps them that was told this folder."""
    return EngineFiles.under(folder / "state", folder / "logs", "trading_state.db", "app.jsonl")


def plain_of(recorded: Recorded) -> Any:
    """The event as JSON has it."""
    return orjson.loads(encoded(recorded.event))
