"""Which threads run the cells' turns: a private thread, or a few that many cells share.

A cell with something to do stands in its dispatcher's queue at most once: whoever puts a message
takes the cell's `scheduled` lock without waiting and, having got it, queues the cell. The worker
that ran it lets go and looks again. So a message is never left behind, and a flood costs one wake.

A turn has a token. The worker puts it down before each handler and takes it up afterwards; the
watchdog takes it up when the handler has run too long. `list.pop` is atomic, so exactly one of them
gets it: either the handler had returned, or its thread is fenced and leaves when it wakes.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING

from hydra.runtime.clock import machine_time
from hydra.runtime.envelope import Envelope
from hydra.runtime.life import in_words
from hydra.runtime.system import Hung
from messages.message import Message

if TYPE_CHECKING:
    from hydra.runtime.thread_runtime import ThreadCell

THROUGHPUT = 64
"""Messages a cell may handle in one turn before the others in its pool have theirs."""


_working = threading.local()


def in_actor_thread() -> bool:
    """Whether the running thread is one that runs actors: such a thread must never wait."""
    return getattr(_working, "here", False)


class Fenced(BaseException):
    """This thread was given up for hung; what it ran has been replaced. It must end."""


class Turn:
    """The right to run a cell: replaced, with its lock and token, when a thread is fenced."""

    __slots__ = ("dispatcher", "scheduled", "thread", "token")

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.scheduled = threading.Lock()
        self.token: list[int] = []
        self.thread: threading.Thread | None = None

    def busy_since(self) -> int | None:
        """Machine time at which the running handler began; None if none runs."""
        try:
            return self.token[0]
        except IndexError:
            return None


class Dispatcher:
    """A queue of cells that have something to do, and the threads that see to it."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.ready: SimpleQueue[ThreadCell | None] = SimpleQueue()
        self.threads: dict[str, threading.Thread] = {}
        self.replaced = 0
        self._numbers = 0
        self._lock = threading.Lock()
        for _ in range(threads):
            self._start_thread()

    def _start_thread(self) -> None:
        with self._lock:
            self._numbers += 1
            name = f"hydra-{self.name}-{self._numbers}"
            # A daemon, so that a handler that never returns cannot keep a broken process alive; an
            # orderly stop does not rely on it, it waits for every cell to have stopped.
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            self.threads[name] = thread
        thread.start()

    def replace_thread(self, thread: threading.Thread | None) -> None:
        """A thread is stuck and fenced: have another in its place."""
        with self._lock:
            self.replaced += 1
            if thread is not None:
                self.threads.pop(thread.name, None)
        self._start_thread()

    def close(self) -> None:
        """Let the threads end after what is queued."""
        for _ in list(self.threads):
            self.ready.put(None)

    def _work(self) -> None:
        get = self.ready.get
        _working.here = True
        cell: ThreadCell | None = None
        try:
            while (cell := get()) is not None:
                run_turn(cell)
        except Fenced:
            return
        except BaseException as error:  # the kernel's own fault: nothing it runs can be trusted
            if cell is not None:
                cell.runtime.fail_closed(f"dispatcher {self.name}: {in_words(error)}")
            raise
        finally:
            with self._lock:
                self.threads.pop(threading.current_thread().name, None)


def run_turn(cell: ThreadCell) -> None:
    """Handle up to `THROUGHPUT` messages of one cell. Raises `Fenced` if that took too long."""
    turn = cell.turn
    turn.thread = threading.current_thread()
    token = turn.token
    mailbox = cell.mailbox
    control, user, plain = mailbox.control, mailbox.user, mailbox.plain
    take_control, take_plain, take_user = control.popleft, user.popleft, mailbox.take_user
    handled, named = cell.handled, cell.handled.named
    recorder = cell.runtime.recorder
    started = machine_time()
    for _ in range(THROUGHPUT):
        if control:
            token.append(started)
            envelope = take_control()
            if recorder is not None:
                recorder.handled_control(cell, envelope, started)
            cell.handle_control(envelope)
            _take_up(token)
            started = machine_time()
            continue
        receive = cell.receive
        if receive is None or not user:
            break
        envelope = take_plain() if plain else take_user()
        context = cell.context
        context.envelope = envelope
        context.moment = started
        if recorder is not None:
            recorder.handled(cell, envelope, started)
        token.append(started)
        try:
            if envelope.special is None:
                receive(envelope.message, context)
            elif cell.admits(envelope):
                receive(envelope.message, context)
                cell.finished(envelope)
        except BaseException as error:  # whatever it is, it must reach the supervisor
            _take_up(token)
            token.append(started)
            cell.fail(error, "receive", envelope)
        try:  # `_take_up` without the call: this is the hot path
            token.pop()
        except IndexError:
            raise Fenced from None
        ended = machine_time()
        entry = (envelope, started, ended - started)
        handled.append(entry)
        if envelope.corr is not None:
            named.append(entry)
        cell.busy_ns += ended - started
        cell.processed += 1
        started = ended
    turn.thread = None
    turn.scheduled.release()
    if control or (user and cell.receive is not None):
        cell.wake()


def _take_up(token: list[int]) -> None:
    """The handler has returned; raises `Fenced` if the watchdog was first."""
    try:
        token.pop()
    except IndexError:
        raise Fenced from None


def fence(cell: ThreadCell, since: int) -> bool:
    """Take the turn away from the handler that began at `since`; False if it has returned.

    Afterwards nothing its thread does reaches anybody, and another may run the cell. What that
    handles first is that this one hung.
    """
    turn, context = cell.turn, cell.context
    envelope = context.envelope if context.moment >= since else None
    try:
        turn.token.remove(since)  # the very handler that was judged, not one that came after it
    except ValueError:
        return False
    context.retired = True
    cell.receive = None  # nothing more for the incarnation that the thread is stuck in
    now = machine_time()
    hung = Hung(cell.incarnation, now - since, handled(envelope))
    cell.mailbox.control.appendleft(Envelope(hung, cell.runtime.next_id(), None, None, now))
    cell.turn = Turn(turn.dispatcher)
    turn.dispatcher.replace_thread(turn.thread)
    cell.wake()
    return True


def handled(envelope: Envelope | None) -> Envelope | None:
    """The envelope, if it holds a message to an actor and nothing of the runtime's own."""
    is_message = envelope is not None and isinstance(envelope.message, Message)
    return envelope if is_message else None
