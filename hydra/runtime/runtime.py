"""What both runtimes share: cells by path, dead letters, topics, history, and failing closed."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, TypeVar

import msgspec
import pykka

from hydra.actor import ChildSpec, Ref
from hydra.runtime.bus import Bus
from hydra.runtime.cell import Cell
from hydra.runtime.context import ActorContext
from hydra.runtime.dead_letters import Dead, DeadLetters
from hydra.runtime.envelope import (
    AskedBy,
    DeadLetterReason,
    Envelope,
    MessageId,
    Special,
    Timer,
    name_of,
)
from hydra.runtime.gate import Gate
from hydra.runtime.life import in_words
from hydra.runtime.system import Foreign, Start, Stop, System, Unwatch, Watch
from hydra.runtime.taps import Taps
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.journal import WriteEntry
from messages.lifecycle import (
    DEAD_LETTERS_TOPIC,
    DeadLetter,
    Replied,
    Terminated,
)
from messages.message import Message

Port = TypeVar("Port")

EARLY_ENTRIES = 1_000
"""How many journal entries are kept while there is no journal writer yet."""


class Event(msgspec.Struct, frozen=True):
    """One line of the runtime's history: starts, failures, restarts, stops, trips.

    `at` is machine time, `market_at` the venue's of that moment: its clock may stand still or leave
    out a night, so nobody can say it later.
    """

    at: int
    market_at: int
    path: str
    incarnation: int
    what: str
    detail: str


class NoReplyInTime(Exception):
    """An outside asker's deadline passed; the question may still be answered, unheard."""


class NobodyThere(pykka.ActorDeadError):
    """The question reached nobody who could answer; its text says why."""


class Outside:
    """Someone who is no actor and tells actors things: an adapter, the main program, a test.

    Its messages are numbered under `~name`, so that they too have an identity that can be replayed.
    """

    def __init__(self, runtime: Runtime, name: str) -> None:
        self._runtime = runtime
        self._name = f"~{name}"
        self._numbers = count(1)  # its `next` is atomic: any thread may tell

    def tell(
        self,
        ref: Ref[Any],
        message: Any,
        *,
        corr: str | None = None,
        special: Special | None = None,
    ) -> None:
        """Send and go on. `corr` names the order that it is about, so that it joins its chain."""
        runtime = self._runtime
        message_id = (self._name, 0, next(self._numbers))
        envelope = Envelope(message, message_id, None, corr, runtime.now(), special)
        runtime.send(ref.path, envelope)


class Runtime(ABC):
    """See the module. Subclasses bring time, threads (or none) and the way messages travel."""

    def __init__(self, *, seed: int = 0, journal: Ref[WriteEntry] | None = None) -> None:
        self.seed = seed
        self.cells: dict[str, Cell] = {}
        self.lives: dict[str, int] = {}
        self.bus = Bus()
        self.taps = Taps()
        self.dead_letters = DeadLetters(self._publish_dead_letter)
        self.history: deque[Event] = deque(maxlen=2_000)
        self.gate = Gate(self.now)
        self.root: Cell | None = None
        self.failed_closed: str | None = None
        self._failing = threading.Lock()
        self._critical: dict[str, None] = {}
        self._journal = journal
        self._early: deque[Envelope] = deque(maxlen=EARLY_ENTRIES)
        self._numbers = count(1)
        self._kernel = self.outside("runtime")
        self._on_fail_closed: list[Callable[[str], None]] = []

    @property
    @abstractmethod
    def deliver(self) -> Callable[[Cell, Envelope], None]:
        """How an envelope gets to a cell that exists."""

    @abstractmethod
    def now(self) -> int:
        """Machine time, in ns."""

    @abstractmethod
    def market_time_at(self, moment: int) -> int:
        """The venue's time (UTC ns) at a moment of machine time."""

    def begun(self, context: ActorContext) -> int:
        """Machine time as an actor is given the word, otherwise than by a turn's user message."""
        return self.now()

    def port(self, name: str, port: Port) -> Port:
        """The port as actors are to have it: a runtime may note, or play, what comes of it."""
        return port

    @abstractmethod
    def create_cell(self, spec: ChildSpec, parent: Cell | None) -> Cell:
        """A new cell at a path where nobody lives, with whatever runs it."""

    @abstractmethod
    def call_later(self, delay: int, action: Callable[[], None]) -> None:
        """Run `action` in `delay` ns; it must only tell, never wait."""

    @abstractmethod
    def schedule_timer(self, timer: Timer, context: ActorContext) -> None:
        """Deliver `context.timer_due(timer)` when it is due, again and again if it has a period."""

    @abstractmethod
    def abandon(self, cell: Cell) -> bool:
        """Fence the thread that is stuck in a handler of this cell; False if none is."""

    @abstractmethod
    def settle_future(
        self, future: pykka.Future[Any], value: Any, error: BaseException | None
    ) -> None:
        """Give an outside asker the answer or the error."""

    @abstractmethod
    def ask(self, ref: Ref[Any], message: Any, *, within: float) -> Any:
        """Ask from outside, wait `within` seconds at most. Raises the error, or `NoReplyInTime`."""

    def answer_to(self, ref: Ref[Any], message: Any, *, within: float) -> Any | None:
        """As `ask`; None where there is no answer. That may be because the actor failed over the
        question: its supervisor sees to that, and whoever asked must not fail as well.
        """
        try:
            return self.ask(ref, message, within=within)
        except Exception:  # whatever the actor raised
            return None

    def outside(self, name: str) -> Outside:
        """A named source of messages that is no actor."""
        return Outside(self, name)

    def tell(self, ref: Ref[Any], message: Message) -> None:
        """Send from outside, unnamed."""
        self._kernel.tell(ref, message)

    def next_id(self) -> MessageId:
        """An identity for what the runtime itself says."""
        return ("~system", 0, next(self._numbers))

    def tell_later(self, delay: int, cell: Cell, message: System) -> None:
        """Say something of the runtime's own to a cell in `delay` ns."""
        self.call_later(delay, lambda: cell.tell_system(message))

    def send(self, path: str, envelope: Envelope) -> None:
        """Deliver to a path, or make a dead letter."""
        cell = self.cells.get(path)
        if cell is None:
            self.dead_letter(DeadLetterReason.NO_SUCH_PATH, path, envelope)
        else:
            self.deliver(cell, envelope)

    def accept_foreign(self, cell: Cell, message: Any, reply_to: Any) -> None:
        """Take what came through a pykka ref: its stop, a proxy's call, a message."""
        special = Special(reply_to=reply_to) if reply_to is not None else None
        if isinstance(message, Message):
            pass
        elif type(message).__name__ == "_ActorStop":  # private there, so known only by its name
            message = Stop("asked through pykka")
        else:
            message = Foreign(message)
        cell.put(Envelope(message, self.next_id(), None, None, self.now(), special))

    def watch(self, path: str, watcher: str) -> None:
        """`watcher` is told `Terminated` once, also if nobody lives at `path`."""
        cell = self.cells.get(path)
        if cell is None:
            target = self.cells.get(watcher)
            if target is not None:
                gone = Terminated(path=path, incarnation=0, reason="nobody lives there")
                target.tell_system(gone)
        else:
            cell.tell_system(Watch(watcher))

    def unwatch(self, path: str, watcher: str) -> None:
        """`watcher` is no longer told."""
        cell = self.cells.get(path)
        if cell is not None:
            cell.tell_system(Unwatch(watcher))

    def tell_terminated(self, watcher: str, cell: Cell, reason: str) -> None:
        """The end of a watched cell, to one watcher."""
        target = self.cells.get(watcher)
        if target is not None:
            target.tell_system(
                Terminated(path=cell.path, incarnation=cell.incarnation, reason=reason)
            )

    def dead_letter(
        self,
        reason: DeadLetterReason,
        path: str,
        envelope: Envelope,
        error: BaseException | None = None,
    ) -> None:
        """Account for a message that nobody handles. Whoever asked with it is told."""
        described = None if error is None else in_words(error)
        special = envelope.special
        if special is not None and special.reply_to is not None and not special.answered:
            self.answer(envelope, None, error or NobodyThere(f"{path}: {reason.value}"))
        self.dead_letters.add(Dead(reason, path, envelope, self.now(), described))

    def answer(
        self,
        envelope: Envelope,
        value: Any,
        error: BaseException | None,
        envelope_for: Callable[[Any, Special], Envelope] | None = None,
    ) -> None:
        """Give whoever asked with this envelope the answer or the error, once; else do nothing.

        `envelope_for` is the answering actor's, so that its answers keep their place among its
        other messages; without it the runtime answers for somebody who cannot.
        """
        special = envelope.special
        if special is None or special.reply_to is None or special.answered:
            return
        special.answered = True
        asked_by = special.reply_to
        if not isinstance(asked_by, AskedBy):
            self.settle_future(asked_by, value, error)
            return
        described = None if error is None else in_words(error)
        reply = Replied(tag=asked_by.tag, value=value, error=described)
        # The answer and the time-out both bear the ask's timer, so whichever is handled first makes
        # the other one stale.
        special = Special(timer=asked_by.timer)
        if envelope_for is not None:
            answer = envelope_for(reply, special)
        else:
            answer_id = (f"~answer:{name_of(envelope.id)}", 0, 1)
            answer = Envelope(reply, answer_id, envelope.id, envelope.corr, self.now(), special)
        self.send(asked_by.path, answer)

    def _publish_dead_letter(self, dead: Dead) -> None:
        message = dead.envelope.message
        if isinstance(message, DeadLetter | WriteEntry):
            return  # a dead letter about a dead letter would breed
        published = DeadLetter(
            reason=dead.reason.value,
            path=dead.path,
            message_type=type(message).__name__,
            message_id=dead.envelope.id,
            at=dead.at,
        )
        for cell in self.bus.subscribers(DEAD_LETTERS_TOPIC):
            cell.put(Envelope(published, self.next_id(), dead.envelope.id, None, dead.at))

    def log(
        self,
        event: str,
        source: str,
        fields: Mapping[str, object],
        envelope_for: Callable[[Any], Envelope] | None = None,
    ) -> None:
        """Have a line written to the journal; kept for later while there is no journal writer."""
        if self._journal is None:
            return
        at = self.market_time_at(self.now())
        entry = WriteEntry(at=at, event=event, source=source, fields=fields)
        if envelope_for is not None:
            envelope = envelope_for(entry)
        else:
            envelope = Envelope(entry, self.next_id(), None, None, self.now())
        writer = self.cells.get(self._journal.path)
        if writer is None:
            self._early.append(envelope)
            writer = self.cells.get(self._journal.path)
            if writer is not None:  # it came meanwhile, and nobody else will look again
                self._deliver_early(writer)
        else:
            self.deliver(writer, envelope)

    def record(self, what: str, cell: Cell, detail: str, *, trace: str = "") -> None:
        """A line of history about one cell, in memory and in the journal."""
        self.remember(what, detail, cell.path, cell.incarnation)
        fields: dict[str, object] = {"incarnation": cell.incarnation, "detail": detail}
        if trace:
            fields["trace"] = trace
        self.log(f"actor_{what}", cell.path, fields)

    def remember(self, what: str, detail: str, path: str = "", incarnation: int = 0) -> None:
        """A line of history in memory; without a path it is of the engine as a whole."""
        now = self.now()
        market_at = self.market_time_at(now)
        self.history.append(Event(now, market_at, path, incarnation, what, detail))

    def start_root(self, spec: ChildSpec) -> Cell:
        """Begin the tree. The root supervises; its failure is a fail-closed stop."""
        if self.root is not None:
            raise RuntimeError("the tree has been started already")
        self.root = self.create_cell(spec, None)
        self.root.tell_system(Start())
        return self.root

    def adopt(self, cell: Cell) -> None:
        """The cell exists from now on; what was logged before the journal writer goes to it."""
        self.cells[cell.path] = cell
        if cell.spec.critical:
            self._critical[cell.path] = None
        if self._journal is not None and cell.path == self._journal.path:
            self._deliver_early(cell)

    def _deliver_early(self, writer: Cell) -> None:
        while True:
            try:
                envelope = self._early.popleft()
            except IndexError:
                return
            self.deliver(writer, envelope)

    def forget_cell(self, cell: Cell) -> None:
        """The cell is gone; its path is free.

        Whoever lives there next counts its incarnations on from here, so that no identity, key or
        deadline of this life ever fits another.
        """
        self.lives[cell.path] = cell.incarnation
        if self.cells.get(cell.path) is cell:
            del self.cells[cell.path]
        self.bus.forget(cell)

    def safety_chain(self) -> tuple[Cell | None, ...]:
        """Every member that there ever was; None in place of one that is gone, however it went."""
        return tuple(self.cells.get(path) for path in tuple(self._critical))

    def stop_cell(self, cell: Cell, reason: str) -> None:
        """Ask a cell to stop for good."""
        cell.tell_system(Stop(reason))

    def trip_for(self, cell: Cell, detail: str) -> None:
        """A member of the safety chain has failed: shut the gate, before anything else."""
        self.gate.revoke_lease()
        self.gate.trip(
            Cause(
                code=f"failed:{cell.path}",
                cause_class=CauseClass.INTEGRITY,
                state=TradingState.HALTED,
                since=self.market_time_at(self.now()),
                detail=detail,
            )
        )

    def fail_closed(self, reason: str) -> None:
        """Nothing can be trusted: shut the gate for good and have the process end, non-zero."""
        first = self._failing.acquire(blocking=False)  # never given back: any thread may be here
        if first:
            self.failed_closed = reason
        self.gate.revoke_lease()
        self.gate.trip(
            Cause(
                code="fail-closed",
                cause_class=CauseClass.INTEGRITY,
                state=TradingState.HALTED,
                since=self.market_time_at(self.now()),
                detail=reason,
            )
        )
        if first:
            self.remember("fail_closed", reason)
            self.log("fail_closed", "runtime", {"reason": reason})
            for listener in self._on_fail_closed:
                listener(reason)

    def on_fail_closed(self, listener: Callable[[str], None]) -> None:
        """`listener(reason)` runs once, in whatever thread found out: it must only tell."""
        self._on_fail_closed.append(listener)
        if self.failed_closed is not None:
            listener(self.failed_closed)
