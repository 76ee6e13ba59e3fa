"""The flight recorder: what the live runtime's actors heard, did and handled, written beside it.

The actors' threads only append a small tuple each; a thread of the recorder's own makes events of
them and writes whole chunks. What it cannot do, it says once, and then records no more: no trading
waits for it, and nothing that goes wrong in it reaches an actor. Nor does it know any secret:
there is none in messages, and it is given nothing else.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from hydra.runtime.contents import (
    body_of,
    digest_of,
    encoded,
    recipe_of,
    state_text,
    without_addresses,
)
from hydra.runtime.envelope import Envelope
from hydra.runtime.life import in_words
from hydra.runtime.recording import (
    MAGIC,
    SUFFIX,
    Began,
    Called,
    ChunkWriter,
    Closed,
    Configured,
    Entry,
    Event,
    Failed,
    GateChanged,
    IncarnationEnded,
    Lane,
    Payload,
    Stopped,
)
from hydra.runtime.system import Inspect, Ping, Retap, Stop
from hydra.trading.trading_state import Cause
from messages.journal import WriteEntry

if TYPE_CHECKING:
    from hydra.runtime.cell import Cell
    from hydra.runtime.context import ActorContext
    from hydra.runtime.thread_runtime import ThreadCell

MEBIBYTE = 1 << 20
FILE_BYTES = 8 * MEBIBYTE
"""A file that has come to this size is followed by the next one."""
WAITING_MAX = 200_000
"""More than this many notes waiting to be written: the disk or the machine is too slow for it."""
CHUNK_EVENTS = 1_024
"""To encode so many takes some 0.2 ms, for which every other thread is kept waiting."""
DRAIN_EVERY_S = 0.1
CHUNK_EVERY = 10
"""A chunk is written after so many drains at the latest: what a `kill -9` may cost is a second."""
CLOSES_WITHIN_S = 2.0

_NOT_RECORDED = (Inspect, Ping, Retap)
"""What the runtime asks a cell without its actor hearing or doing anything."""
WITHOUT_DIGEST = frozenset({"journal.append"})
"""Ports whose arguments say when the machine did something: not the same in a replay."""
COUNTED = "ledger"
"""The port whose answers follow from what it was told: only how often it was called is noted, and
what it raised."""

_USER = Lane.USER
_Port = TypeVar("_Port")
_turn = threading.local()


class FlightRecorder:
    """One session's. `start` it before the tree; `close` it when the tree has stopped.

    `folder` must be there, and empty of recordings. `market_at` is market time by the machine's.
    `tell(reason)` is called once if it ends before the session does, in the recorder's thread.
    `clean` takes secrets out of what errors say, which is text of whatever library, and out of the
    states of actors who have heard it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        market_at: Callable[[int], int],
        bytes_max: int,
        tell: Callable[[str], None],
        clean: Callable[[str], str] = str,
    ) -> None:
        self.bytes_written = 0
        self.entries = 0
        self._folder = folder
        self._market_at = market_at
        self._bytes_max = bytes_max
        self._tell = tell
        self._clean = clean
        self._notes: deque[tuple[Any, ...]] = deque()
        self._is_over = False
        self._has_given_up = False
        self._ended: dict[tuple[str, int], str] = {}
        self._causes: tuple[Cause, ...] = ()
        self._mark = ""
        self._hash: str | None = None
        self._closing = threading.Event()
        self._chunk = ChunkWriter()
        self._file_number = 0
        self._file_bytes = FILE_BYTES
        self._last: tuple[object, int] = (None, 0)
        self._thread = threading.Thread(target=self._work, name="flight-recorder", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def close(self, mark: str, *, within_s: float = CLOSES_WITHIN_S) -> str | None:
        """The session is over, with its ledger as `mark` says. Gives the hash of its final state;
        None: the recording had ended before, or does not end in time.
        """
        self._mark = mark
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(within_s)
        self._is_over = True
        return self._hash

    def give_up(self) -> None:
        """Record nothing, or nothing more: there is no place for it."""
        self._has_given_up = self._is_over = True
        self._notes.clear()

    # In the actors' threads

    def handled(self, cell: Cell, envelope: Envelope, now: int) -> None:
        """A message of the user lane is about to be handled, at this moment."""
        if self._is_over:
            return
        market = self._market_at(now)
        cell.context.market_is(now, market)
        _turn.cell = cell
        notes = self._notes
        if len(notes) < WAITING_MAX:  # `_note` without the calls: this is the hot path
            notes.append((_USER, cell.path, envelope, now, market))
        else:
            self._is_over = True

    def handled_control(self, cell: Cell, envelope: Envelope, now: int) -> None:
        """One of the control lane is."""
        if self._is_over:
            return
        if isinstance(envelope.message, _NOT_RECORDED):
            _turn.cell = None
            return
        _turn.cell = cell
        self._note(Lane.CONTROL, cell.path, envelope, now, self._market_at(now))

    def begun(self, context: ActorContext, now: int) -> None:
        """Within that, the actor is about to be given the word."""
        if self._is_over:
            return
        cell, envelope = context.cell, context.envelope
        market = self._market_at(now)
        context.market_is(now, market)
        drains = cell.stopping is not None and cell.spec.drain_on_stop
        if drains and isinstance(envelope.message, Stop):
            self._note(Lane.STOPS, cell.path, envelope, now, market)
        elif drains and not envelope.message.is_control:
            self._note(Lane.DRAINED, cell.path, envelope, now, market)
        else:
            self._add((Began, cell.path, now, market))

    def failed(self, cell: Cell, detail: str) -> None:
        """The cell's actor has failed."""
        self._add((Failed, cell.path, detail))

    def ends(self, cell: Cell) -> None:
        """An incarnation of the cell is about to be discarded."""
        actor = cell.actor
        if actor is None or cell.stopping is None or cell.context.retired or self._is_over:
            return
        self._add((IncarnationEnded, cell.path, cell.incarnation, state_text(actor)))

    def gate_changed(self, causes: tuple[Cause, ...]) -> None:
        """These stand in the gate from now on. Called under the gate's lock."""
        self._add((GateChanged, causes))

    def configured(self, content: object) -> None:
        """Actors may be given recipes of this configuration from now on; it is such as JSON has."""
        self._add((Configured, content))

    def called(
        self, port: str, arguments: tuple[Any, ...], result: object, error: BaseException | None
    ) -> None:
        """The running thread's actor called a port; what other threads do is not an actor's."""
        cell: ThreadCell | None = getattr(_turn, "cell", None)
        if cell is not None and cell.owns_turn_now():
            self._add((Called, cell.path, port, arguments, result, error))

    def _note(self, lane: Lane, path: str, envelope: Envelope, now: int, market: int) -> None:
        if len(self._notes) >= WAITING_MAX:
            self._is_over = True
        self._add((lane, path, envelope, now, market))

    def _add(self, note: tuple[Any, ...]) -> None:
        if not self._is_over:
            self._notes.append(note)

    # In its own thread

    def _work(self) -> None:
        try:
            self._record()
        except Exception as error:  # it must disturb nobody, whatever it is
            self._is_over = True
            self._notes.clear()
            self._tell(in_words(error))

    def _record(self) -> None:
        drains = 0
        while True:
            is_last = self._closing.wait(DRAIN_EVERY_S)
            drains += 1
            self._drain()
            if self._has_given_up:
                return
            if self._is_over:
                self._stop(f"more than {WAITING_MAX} notes waited to be written")
                return
            if self.bytes_written >= self._bytes_max:
                self._stop(f"it has come to its {self._bytes_max // MEBIBYTE} MiB")
                return
            if is_last:
                final = state_hash(self._ended, self._causes, self._mark)
                self._chunk.add(Closed(final, self._mark, self.entries))
                self._write()
                self._hash = final
                return
            if drains % CHUNK_EVERY == 0 and len(self._chunk):
                self._write()

    def _stop(self, reason: str) -> None:
        self._is_over = True
        self._notes.clear()
        self._chunk.add(Stopped(reason))
        self._write()
        self._tell(reason)

    def _drain(self) -> None:
        take = self._notes.popleft
        for _ in range(len(self._notes)):
            self._chunk.add(self._event_of(take()))
            if len(self._chunk) >= CHUNK_EVENTS:
                self._write()
                if self.bytes_written >= self._bytes_max:
                    return

    def _event_of(self, note: tuple[Any, ...]) -> Event:
        kind = note[0]
        if isinstance(kind, Lane):
            self.entries += 1
            return self._entry_of(*note)
        if kind is Called:
            return self._called(*note[1:])
        if kind is GateChanged:
            self._causes = note[1]
            return GateChanged(encoded(note[1]))
        if kind is IncarnationEnded:
            state = self._ended[note[1], note[2]] = self._clean(note[3])
            return IncarnationEnded(note[1], note[2], state)
        if kind is Failed:
            return Failed(note[1], self._clean(without_addresses(note[2])))
        if kind is Configured:
            return Configured(msgspec.json.encode(note[1]))
        return cast("Event", kind(*note[1:]))

    def _entry_of(self, lane: Lane, path: str, envelope: Envelope, now: int, market: int) -> Entry:
        message, digest, payload, content = envelope.message, 0, None, None
        if not is_made_by_a_cell(envelope.id[0]):
            payload = _payload_of(envelope)
        elif isinstance(message, WriteEntry):
            pass  # it says when the machine wrote it
        elif self._last[0] is envelope:
            digest = self._last[1]  # published to many
        else:
            digest = digest_of(message)
            self._last = (envelope, digest)
            content = None if envelope.corr is None else body_of(message)
        kind = type(message).__qualname__
        return Entry(path, envelope.id, now, market, lane, kind, digest, payload, content)

    def _called(
        self,
        path: str,
        port: str,
        arguments: tuple[Any, ...],
        result: object,
        error: BaseException | None,
    ) -> Called:
        if port.partition(".")[0] == COUNTED:
            digest = cast("int", arguments[0])
        else:
            digest = 0 if port in WITHOUT_DIGEST else digest_of(arguments)
        if error is not None:
            said = self._clean(without_addresses(str(error)))
            return Called(path, port, digest, None, (type(error).__name__, said))
        return Called(path, port, digest, None if result is None else encoded(result))

    def _write(self) -> None:
        data = self._chunk.taken()
        begins = self._file_bytes >= FILE_BYTES
        if begins:
            self._file_number += 1
            self._file_bytes = 0
            data = MAGIC + data
        file = self._folder / f"{self._file_number:04}{SUFFIX}"
        mode = "xb" if begins else "ab"
        with open(file, mode, opener=_private) as stream:
            stream.write(data)
        self._file_bytes += len(data)
        self.bytes_written += len(data)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def is_made_by_a_cell(sender: str) -> bool:
    """Whether a replay makes the messages of this sender itself: an actor, its timers, its cell."""
    return sender.startswith(("/", "~/"))


def state_hash(
    ended: dict[tuple[str, int], str], causes: tuple[Cause, ...], ledger_mark: str
) -> str:
    """One name for how a session ended: what every actor that stopped in order saw of itself then,
    what stood in the gate, how far the ledger was. Equal for equal content alone.
    """
    lines = sorted((path, incarnation, state) for (path, incarnation), state in ended.items())
    standing = sorted((cause.code, cause.state.name, cause.detail) for cause in causes)
    return hashlib.blake2b(encoded((lines, standing, ledger_mark)), digest_size=16).hexdigest()


def _payload_of(envelope: Envelope) -> Payload:
    special, message, asked = envelope.special, envelope.message, envelope.cause
    timer = None if special is None else special.timer
    body = body_of(message)
    recipe = None if body is not None else recipe_of(message)
    switches = (
        (name, getattr(message, name)) for name in getattr(message, "__struct_fields__", ())
    )
    return Payload(
        type(message).__module__,
        body,
        special is not None and special.reply_to is not None,
        0 if special is None else special.deadline,
        None if timer is None or asked is None else (timer.key, timer.generation, asked[1]),
        recipe,
        None if recipe is None else {k: v for k, v in switches if isinstance(v, bool)},
    )


def noted(recorder: FlightRecorder, name: str, port: _Port) -> _Port:
    """The port, with what actors call on it noted."""
    wrapper = _NotedLedger if name == COUNTED else _NotedPort
    return cast("_Port", wrapper(recorder, name, port))


class _NotedPort:
    """Passes everything on, and notes it with what came of it."""

    is_port = True

    def __init__(self, recorder: FlightRecorder, name: str, port: Any) -> None:
        self._recorder = recorder
        self._name = name
        self._port = port

    def __getattr__(self, member: str) -> Any:
        port, name, called = self._port, f"{self._name}.{member}", self._recorder.called
        if isinstance(getattr(type(port), member, None), property):
            value = getattr(port, member)
            called(name, (), value, None)
            return value
        act = getattr(port, member)
        if not callable(act):  # a plain attribute
            called(name, (), act, None)
            return act

        def call(*arguments: Any, **named: Any) -> Any:
            told = (*arguments, named) if named else arguments
            try:
                result = act(*arguments, **named)
            except BaseException as error:  # whatever a port raises, a replay has to raise
                called(name, told, None, error)
                raise
            called(name, told, result, None)
            return result

        return call


class _NotedLedger:
    """Passes everything on; notes what is raised alone, with how often it was called before."""

    is_port = True

    def __init__(self, recorder: FlightRecorder, name: str, ledger: Any) -> None:
        self._recorder = recorder
        self._name = name
        self._ledger = ledger
        self._calls = 0

    def __getattr__(self, member: str) -> Any:
        act = getattr(self._ledger, member)
        if not callable(act):
            return act

        def call(*arguments: Any, **named: Any) -> Any:
            self._calls += 1
            try:
                return act(*arguments, **named)
            except BaseException as error:  # whatever a port raises, a replay has to raise
                self._recorder.called(f"{self._name}.{member}", (self._calls,), None, error)
                raise

        return call
