"""An engine reduced to its record, to be killed: it writes, and says what was acknowledged.

It goes on with the record in a folder. What it does follows from a seed and the number of its life,
and from what it finds. Every record has a name of its own, and every group names its records in a
value beside them: so the ledger itself tells whether it has whole groups only.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import apsw
import msgspec

from hydra.store.backup import back_up
from hydra.store.connection import connected_to_read
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.trading.order_life import OrderStatus
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.orders import OrderAccepted, OrderApproved
from tests.crash.said import (
    Appended,
    BackedUp,
    Began,
    Committed,
    Ended,
    Ending,
    Item,
    Marked,
    Marking,
    Opened,
    Said,
    Tried,
    line_of,
)
from tests.store.orders import AT, approved, decision, filled

JOURNAL_BYTES_MAX = 3_000
"""A file of some ten lines, so that it is often full."""

CHECKPOINT_PAGES = 24
"""So few that SQLite moves its log into the database again and again."""

COUNTED = "counted"
SESSION = "2024-01-02"


def files_in(folder: Path) -> EngineFiles:
    """Where the record lies."""
    return EngineFiles.under(folder / "state", folder / "logs", "ledger.db", "journal.jsonl")


class Worker:
    """One life: what it does to the record, one step after the other."""

    def __init__(self, record: EngineRecord, files: EngineFiles, seed: int, life: int) -> None:
        self._record = record
        self._files = files
        self._rng = random.Random(f"{seed} {life}")
        self._life = life
        self._numbers = 0
        self._at = AT + life * 1_000_000
        self._known = [
            OrderApproved(intent=each.intent, order=each.state.order, epoch=1, expires_at=1)
            for each in record.ledger.orders()
        ]

    def work(self, steps: int) -> None:
        """Any of the engine's deeds, so many times."""
        for step in self._rng.choices(list(_STEPS), list(_STEPS.values()), k=steps):
            step(self)

    def end(self) -> None:
        """Stop in order."""
        self._record.end("the work is done", self._now())

    def commit_a_group(self) -> None:
        """Some records of any kind, durable together; then the journal is told, as always."""
        ledger = self._record.ledger
        makers = self._rng.choices(list(_ITEMS), list(_ITEMS.values()), k=self._rng.randint(1, 4))
        items = tuple(dict.fromkeys(item for make in makers for item in make(self)))
        group = f"group {self._life} {self._number()}"
        ledger.put(group, msgspec.json.encode(items).decode(), self._now())
        say(Tried(group, items))
        mark = ledger.commit()
        say(Committed(mark.seq, mark.chain, ledger.state_hash()))
        self._append("ledger_committed", {"ledger_seq": mark.seq, "ledger_chain": mark.chain})

    def append_lines(self) -> None:
        """Some lines for the journal alone."""
        for _ in range(self._rng.randint(1, 4)):
            self._append(COUNTED, {"padding": "." * self._rng.randint(0, 200)})

    def mark_the_journal(self) -> None:
        """The next commit tells the ledger how far the journal is on the disk."""
        self._record.journal.sync()
        self._record.ledger.mark_journal(self._record.journal.synced_seq, self._now())

    def prune(self) -> None:
        """All full files of the journal but the newest go."""
        self._record.journal.prune(at=self._now(), wall_ns=time.time_ns(), kept_for_ns=0)

    def back_up(self) -> None:
        """From a connection of its own, as whoever makes a backup beside the engine has it."""
        name = f"ledger-{self._life:03}-{self._number():06}.db"
        source = connected_to_read(self._files.ledger)
        try:
            head = back_up(source, self._files.backups / name)
        finally:
            source.close()
        say(BackedUp(name, head.seq, head.link.hex()))

    def turn_the_marker(self) -> None:
        """Halted if it is clear, clear if it is halted."""
        marker = self._record.halt_marker
        if marker.standing is None:
            cause = self._cause("marker")
            say(Marking(cause.code))
            marker.halt(cause)
            say(Marked(cause.code))
        else:
            say(Marking(None))
            marker.clear()
            say(Marked(None))

    def order(self) -> list[Item]:
        """A new one."""
        key = decision(self._number(), bot=f"bot-{self._life}", session=SESSION)
        one = approved(key)
        recorded = self._record.ledger.record_intent(one, self._now())
        assert not recorded.duplicate, f"{recorded.client_order_id} is new"
        self._known.append(one)
        return [("order", recorded.client_order_id)]

    def order_again(self) -> list[Item]:
        """One that is on record, perhaps since another life; it must not be sent again."""
        if self._known:
            known = self._rng.choice(self._known)
            recorded = self._record.ledger.record_intent(known, self._now())
            assert recorded.duplicate, f"{recorded.client_order_id} would be sent again"
        return []

    def report(self) -> list[Item]:
        """What the venue says next of an order that is open: acceptance, or one of two fills."""
        ledger = self._record.ledger
        open_orders = ledger.open_orders()
        if not open_orders:
            return []
        state = self._rng.choice(open_orders).state
        order, name = state.order, state.order.client_order_id
        if state.status is OrderStatus.ATTEMPTED:
            accepted = OrderAccepted(client_order_id=name, venue_order_id=f"at-{name}", at=AT)
            ledger.record_report(accepted, self._now())
            return [("accepted", name)]
        execution_id, quantity = (f"{name}-2", "6") if state.filled_quantity else (f"{name}-1", "4")
        ledger.record_report(filled(order, quantity, execution_id), self._now())
        return [("fill", name, execution_id)]

    def report_again(self) -> list[Item]:
        """A fill that was counted, perhaps in another life."""
        fills = self._record.ledger.fills()
        if fills:
            fill = self._rng.choice(fills)
            order = next(k.order for k in self._known if _name_of(k) == fill.client_order_id)
            again = filled(order, fill.quantity, fill.execution_id)
            recorded = self._record.ledger.record_report(again, self._now())
            assert recorded.duplicate, f"{fill.execution_id} would count twice"
        return []

    def value(self) -> list[Item]:
        """A new one, and one that is replaced every time."""
        key, text = f"value {self._life} {self._number()}", f"text {self._rng.random()}"
        self._record.ledger.put(key, text, self._now())
        self._record.ledger.put("newest", key, self._now())
        return [("value", key, text)]

    def budget(self) -> list[Item]:
        """More or less than before."""
        bot, amount = f"bot-{self._rng.randint(1, 3)}", f"{self._rng.randint(1, 10_000)}"
        self._record.ledger.grant_budget(bot, SESSION, Decimal(amount), self._now())
        return [("budget", bot, amount, str(self._number()))]

    def halt(self) -> list[Item]:
        """A new cause."""
        cause = self._cause("cause")
        self._record.ledger.latch_halt(cause, self._now())
        return [("halt", cause.code)]

    def clear(self) -> list[Item]:
        """Any cause that stands, perhaps since another life."""
        standing = self._record.ledger.halts()
        if not standing:
            return []
        code = self._rng.choice(standing).code
        self._record.ledger.clear_halt(code, "it is gone", self._now())
        return [("clear", code)]

    def _append(self, event: str, fields: dict[str, object]) -> None:
        number = f"{self._life} {self._number()}"
        line = {"ts": self._now(), "event": event, "number": number, **fields}
        say(Appended(self._record.journal.append(line), number))

    def _cause(self, kind: str) -> Cause:
        return Cause(
            code=f"{kind} {self._life} {self._number()}",
            cause_class=CauseClass.INTEGRITY,
            state=TradingState.HALTED,
            since=self._now(),
            detail="found",
        )

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _now(self) -> int:
        self._at += 1
        return self._at


_STEPS: dict[Callable[[Worker], None], int] = {
    Worker.commit_a_group: 6,
    Worker.append_lines: 5,
    Worker.mark_the_journal: 3,
    Worker.turn_the_marker: 2,
    Worker.prune: 1,
    Worker.back_up: 1,
}
"""How often each comes, compared with the others."""

_ITEMS: dict[Callable[[Worker], list[Item]], int] = {
    Worker.order: 4,
    Worker.order_again: 1,
    Worker.report: 6,
    Worker.report_again: 1,
    Worker.value: 2,
    Worker.budget: 1,
    Worker.halt: 2,
    Worker.clear: 1,
}


def say(said: Said) -> None:
    """Out of the process at once, so that it is heard whatever comes next."""
    os.write(sys.stdout.fileno(), line_of(said))


def live(folder: Path, seed: int, life: int, steps: int) -> None:
    """From start to end, if it comes to an end."""
    files = files_in(folder)
    apsw.connection_hooks.append(lambda opened: opened.wal_autocheckpoint(CHECKPOINT_PAGES))
    owner = Owner(
        venue="paper",
        account="account-1",
        version="1.0.0",
        configuration="c" * 64,
        at=AT + life * 1_000_000,
    )
    say(Began())
    record = EngineRecord.open(files, owner, journal_bytes_max=JOURNAL_BYTES_MAX)
    ledger, marked = record.ledger, record.halt_marker.standing
    say(
        Opened(
            seq=ledger.mark.seq,
            chain=ledger.mark.chain,
            state=ledger.state_hash(),
            halts=tuple(cause.code for cause in ledger.halts()),
            marked=None if marked is None else marked.code,
            ended_unclean=record.ended_unclean,
        )
    )
    worker = Worker(record, files, seed, life)
    worker.work(steps)
    say(Ending())
    worker.end()
    record.close()
    say(Ended())


def _name_of(known: OrderApproved) -> str:
    return known.order.client_order_id
