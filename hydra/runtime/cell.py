"""The cell: what lives at one path. It owns the mailbox and hosts one incarnation after another.

The cell is the pykka actor (its inbox, its future, its start of the loop; never pykka's own loop);
the actor object inside is one incarnation. Every change of a cell's life happens in its own turn,
on its control lane, so there is nothing to lock: a parent *asks* its child to stop.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pykka

from hydra.actor import Actor, ChildSpec, Overflow, Ref, UnhandledMessage
from hydra.runtime import visitors
from hydra.runtime.context import ActorContext
from hydra.runtime.envelope import DeadLetterReason, Envelope, Remembered, Special
from hydra.runtime.inbox import Inbox
from hydra.runtime.life import (
    HISTORY,
    ActorHung,
    Failure,
    LinkedChildFailed,
    MailboxFull,
    NoReply,
    StartTimedOut,
    Status,
    in_words,
)
from hydra.runtime.mailbox import Mailbox
from hydra.runtime.system import (
    Foreign,
    Hung,
    Inspect,
    Overflowed,
    Ping,
    Resume,
    Retap,
    Start,
    StartOverdue,
    Stop,
    StopOverdue,
    Suspend,
    System,
    Unwatch,
    Watch,
)
from messages.lifecycle import ChildFailed, ChildStarted, ChildStopped, Phase

if TYPE_CHECKING:
    from hydra.runtime.runtime import Runtime


class Cell(pykka.Actor):
    """See the module. The runtimes subclass it for how messages get in and who runs a turn."""

    __slots__ = (
        "_start_held",
        "_stop_asked",
        "actor",
        "busy_ns",
        "children",
        "context",
        "failed_count",
        "failures",
        "handled",
        "incarnation",
        "label",
        "mailbox",
        "name",
        "parent",
        "path",
        "processed",
        "progress_at",
        "receive",
        "reported",
        "restarts",
        "runtime",
        "spec",
        "started_at",
        "stash",
        "status",
        "stopping",
        "suspended",
        "unwound",
        "watchers",
    )

    _system: ClassVar[dict[type, Callable[[Any, Any, Envelope], None]]]

    @staticmethod
    def _create_actor_inbox() -> Any:
        return Inbox()

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return pykka.ThreadingFuture()

    def __init__(self, runtime: Runtime, spec: ChildSpec, parent: Cell | None) -> None:
        path = f"{parent.path if parent is not None else ''}/{spec.name}"
        if path in runtime.cells:
            raise ValueError(f"somebody lives at {path} already: two cells would be two truths")
        super().__init__()
        self.actor_inbox.cell = self  # type: ignore[attr-defined]  # it is our Inbox
        self.runtime = runtime
        self.spec = spec
        self.parent = parent
        self.name = spec.name
        self.path: str = path
        self.mailbox = Mailbox(spec.mailbox)
        self.children: dict[str, Cell] = {}
        self.watchers: dict[str, None] = {}
        self.status = Status.NEW
        self.label = ""
        self.suspended = False
        self.incarnation = runtime.lives.get(path, 0)  # goes on where the last cell here ended
        self.restarts = 0
        self.reported = 0
        self.actor: Actor[Any] | None = None
        self.context = ActorContext(self, runtime, 0)
        self.receive: Callable[[Any, ActorContext], None] | None = None
        self.stopping: Stop | None = None
        self._stop_asked: list[Envelope] = []
        self.unwound: Callable[[], None] | None = None
        self.stash: list[Envelope] = []
        self._start_held: list[Envelope] = []
        self.processed = 0
        self.busy_ns = 0
        self.progress_at = 0
        self.started_at = 0
        self.handled = Remembered()
        self.failures: tuple[Failure, ...] = ()  # the newest; an empty deque would be 0.7 KiB
        self.failed_count = 0

    @property
    def ref(self) -> Ref[Any]:
        """The stable address."""
        return Ref(self.path)

    def put(self, envelope: Envelope) -> None:
        """Take a message in, in any thread, and see that it is handled. Never raises or waits."""
        raise NotImplementedError

    def tell_system(
        self, message: Any, *, special: Special | None = None, by: Cell | None = None
    ) -> None:
        """Say something of the runtime's own, on the control lane. `by`: whose turn it is."""
        runtime = self.runtime
        if by is None:
            message_id = runtime.next_id()
        else:
            by.reported += 1
            message_id = (f"~{by.path}", by.incarnation, by.reported)
        self.put(Envelope(message, message_id, None, None, runtime.now(), special))

    def handle_control(self, envelope: Envelope) -> None:
        """Handle one envelope of the control lane. In this cell's turn; never raises."""
        system = self._system.get(type(envelope.message))
        if self.status is Status.STOPPED:
            self._account_for(envelope)  # it slipped in while the mailbox was being closed
        elif system is not None:
            system(self, envelope.message, envelope)
        elif isinstance(envelope.message, ChildStarted | ChildFailed | ChildStopped):
            self._child_reported(envelope.message, envelope)
        elif self._between_incarnations():
            self._start_held.append(envelope)  # for the next incarnation, in order
        else:
            self._give(envelope)

    def _between_incarnations(self) -> bool:
        """Nobody is there to take a message, or a fenced thread may still be inside who is."""
        return self.actor is None or self.context.retired

    def _give(self, envelope: Envelope) -> None:
        """Let the actor receive it now, whatever the state of the user lane."""
        actor = self.actor
        assert actor is not None, "whoever calls has seen that there is one"
        self.context.begin(envelope)
        try:
            if self.admits(envelope):
                actor.receive(envelope.message, self.context)
                self.finished(envelope)
        except BaseException as error:  # whatever it is, it must reach the supervisor
            self.raised(error, "receive", envelope)

    def raised(self, error: BaseException, phase: Phase, envelope: Envelope | None) -> None:
        """The actor's code raised this. What comes from a fenced thread concerns nobody."""
        if self.owns_turn():
            self.fail(error, phase, envelope)

    def owns_turn(self) -> bool:
        """Whether the running thread still speaks for this cell: a fenced one does not."""
        return True

    def admits(self, envelope: Envelope) -> bool:
        """Whether a special envelope may still be handled: not expired, its timer current."""
        special = envelope.special
        if special is None:
            return True
        timer = special.timer
        if timer is not None:
            timer.waiting = False
            timers = self.context.timers
            if timers.get(timer.key) is not timer:
                return False
            if not timer.period:
                del timers[timer.key]
        if special.deadline and self.context.now() > special.deadline:
            self.runtime.dead_letter(DeadLetterReason.EXPIRED, self.path, envelope)
            return False
        return True

    def finished(self, envelope: Envelope) -> None:
        """A handler returned: an asker who got no answer is told so rather than left to wait."""
        special = envelope.special
        if special is None or special.reply_to is None or special.answered:
            return
        if self.owns_turn() and not self._is_set_aside(envelope):
            self.context.answer_error(
                envelope, NoReply(f"{self.path} did not answer {type(envelope.message).__name__}")
            )

    def _is_set_aside(self, envelope: Envelope) -> bool:
        return any(aside is envelope for aside in self.stash)

    def _on_start(self, _message: Start, _envelope: Envelope) -> None:
        if self.status not in (Status.NEW, Status.FAILED, Status.KEPT):
            return
        if self.status is not Status.NEW:
            self.restarts += 1
            if not self.spec.mailbox.keep_on_restart:
                self._drop_user_lane()
        self.incarnation += 1
        self.status = Status.STARTING
        self.label = ""
        self.stopping = None
        self.context = context = ActorContext(self, self.runtime, self.incarnation)
        context.begin(
            Envelope(None, (self.path, self.incarnation, 0), None, None, self.runtime.now())
        )
        try:
            actor = self.spec.build()
            if not context.retired:  # else that took too long: another may live here by now
                self.actor = actor
                actor.start(context)
        except BaseException as error:  # a failed start is a failure like any other
            self.raised(error, "start", None)
            return
        if not self.owns_turn():
            return
        if context.start_deferred:
            if not actor.supervises:  # a supervisor's children have deadlines of their own
                self.runtime.tell_later(
                    self.spec.start_within, self, StartOverdue(self.incarnation)
                )
        else:
            self.start_completed()

    def start_completed(self) -> None:
        """The incarnation handles messages from now on."""
        if self.status is not Status.STARTING or self.actor is None:
            return
        self.status = Status.RUNNING
        self.started_at = self.progress_at = self.runtime.now()
        self.runtime.record("started", self, f"incarnation {self.incarnation}")
        if self._start_held:
            self.mailbox.control.extendleft(reversed(self._start_held))
            self._start_held = []
        self.open_user_lane()
        self._report(ChildStarted(name=self.name, incarnation=self.incarnation))

    def _on_start_overdue(self, message: StartOverdue, _envelope: Envelope) -> None:
        if self.status is Status.STARTING and message.incarnation == self.incarnation:
            seconds = self.spec.start_within / 1e9
            self.fail(StartTimedOut(f"no `started` within {seconds:g} s"), "start", None)

    def open_user_lane(self) -> None:
        """Let user messages through, if the cell runs and nobody suspended it."""
        is_open = self.status is Status.RUNNING and not self.suspended and not self.context.retired
        if is_open and self.actor is not None:
            self.receive = self.context.receiver(self.actor)
            self.wake()

    def receiver_changed(self) -> None:
        """Its messages are to come another way: a receive timeout was set, somebody looks."""
        if self.receive is not None and self.actor is not None:
            self.receive = self.context.receiver(self.actor)

    def wake(self) -> None:
        """See that waiting messages are handled."""
        raise NotImplementedError

    def fail(self, error: BaseException, phase: Phase, envelope: Envelope | None) -> None:
        """This incarnation is over. Trips the gate first if it is critical, then supervises."""
        self.receive = None
        runtime = self.runtime
        described = in_words(error)
        if self.spec.critical:
            runtime.trip_for(self, f"{phase}: {described}")
        if not isinstance(error, Exception) or isinstance(error, MemoryError | RecursionError):
            runtime.fail_closed(f"{self.path}: {described} (no restart can be trusted after this)")
        if self.parent is None:
            runtime.fail_closed(f"the root supervisor failed: {described}")
        trace = "".join(traceback.format_exception(error, limit=-8))
        self.failed_count += 1
        failure = Failure(runtime.now(), self.incarnation, phase, described, trace)
        self.failures = (*self.failures, failure)[-HISTORY:]
        runtime.record("failed", self, f"{phase}: {described}", trace=trace)
        if envelope is not None:
            self._dispose_of(envelope, error)
        actor = self._discard_incarnation()
        if self.stopping is not None:  # failed while stopping: the stop goes on without it
            if self.unwound is None:
                self._stop_completed()
        else:
            self.status = Status.FAILED
            failed = ChildFailed(
                name=self.name, incarnation=self.incarnation, phase=phase, error=described
            )
            self._unwind(lambda: self._report(failed))
        if actor is not None and phase != "hang":
            # Last, so that a hook that hangs or raises holds up nothing; and before the next
            # incarnation, which starts in this cell's turn too.
            try:
                actor.failed(error)
            except Exception as second:  # recorded; the first failure decides what happens
                runtime.record("failed", self, f"in failed(): {in_words(second)}")

    def _discard_incarnation(self) -> Actor[Any] | None:
        """Fence this incarnation; gives the actor that was."""
        actor, self.actor = self.actor, None
        self.context.retire()
        if self.stash:
            self.mailbox.put_back(self.stash)
            self.stash = []
        return actor

    def _dispose_of(self, envelope: Envelope, error: BaseException) -> None:
        """The message that crashed the actor: retried if its spec allows, else a dead letter."""
        if self._is_set_aside(envelope):  # it is accounted for here, so not there
            self.stash = [aside for aside in self.stash if aside is not envelope]
        special = envelope.special
        crashed = (special.deliveries if special is not None else 0) + 1
        if (
            crashed < self.spec.max_deliveries
            and isinstance(error, Exception)
            and self.stopping is None
            and not getattr(envelope.message, "is_control", False)
        ):
            special = msgspec.structs.replace(special or Special(), deliveries=crashed)
            self.mailbox.put_back([msgspec.structs.replace(envelope, special=special)])
            return
        reason = DeadLetterReason.POISON
        if isinstance(error, UnhandledMessage | NotImplementedError):
            reason = DeadLetterReason.UNHANDLED
        self.runtime.dead_letter(reason, self.path, envelope, error)

    def _on_hung(self, message: Hung, _envelope: Envelope) -> None:
        was_made = self.actor is not None or self.status is Status.STARTING
        if message.incarnation != self.incarnation or not was_made:
            return  # it hung in `failed`, or had just finished stopping
        took, limit = message.busy_ns / 1e9, self.spec.hang_after / 1e9
        error = ActorHung(f"busy for {took:.3f} s, allowed {limit:g} s")
        self.fail(error, "hang", message.envelope)

    def spawn(self, spec: ChildSpec) -> Ref[Any]:
        """Start a child, or a new incarnation of one that failed or was kept."""
        child = self.children.get(spec.name)
        if child is None:
            child = self.runtime.create_cell(spec, self)
            self.children[spec.name] = child
        else:
            child.spec = spec
        child.tell_system(Start(), by=self)
        return child.ref

    def request_stop(self, child: Cell, reason: str, *, keep: bool) -> None:
        """Ask a child to stop; if it does not within its time, it is fenced and left behind."""
        child.tell_system(Stop(reason, keep), by=self)
        if not child.spec.actor.supervises:
            self._look_after_stop(child)

    def _look_after_stop(self, child: Cell) -> None:
        overdue = StopOverdue(child.name, child.incarnation)
        self.runtime.tell_later(child.spec.stop_within, self, overdue)

    def _on_stop_overdue(self, message: StopOverdue, _envelope: Envelope) -> None:
        child = self.children.get(message.name)
        if child is None or child.incarnation != message.incarnation:
            return
        if child.status in (Status.STOPPED, Status.KEPT, Status.FAILED):
            return
        if self.runtime.abandon(child):
            self.runtime.record("stop_overdue", child, "left behind")
        else:  # it is not stuck in a handler; it waits for its turn, or for its own children
            self._look_after_stop(child)

    def _child_reported(
        self, report: ChildStarted | ChildFailed | ChildStopped, envelope: Envelope
    ) -> None:
        child = self.children.get(report.name)
        if child is None or report.incarnation != child.incarnation:
            return  # of an incarnation that is history
        if isinstance(report, ChildStopped) and not report.kept:
            del self.children[report.name]
        if self.unwound is not None:
            if not isinstance(report, ChildStarted):
                self._unwind_next()
        elif self.actor is not None and self.actor.supervises:
            self._give(envelope)
        elif self.actor is not None and isinstance(report, ChildFailed):
            self.fail(LinkedChildFailed(f"{report.name}: {report.error}"), "receive", None)

    def _unwind(self, then: Callable[[], None]) -> None:
        """Stop the children in the reverse of their start order, one by one; then go on."""
        self.unwound = then
        self._unwind_next()

    def _unwind_next(self) -> None:
        for child in reversed(self.children.values()):
            if child.stopping is None or child.status in (Status.KEPT, Status.FAILED):
                self.request_stop(child, "its supervisor is going", keep=False)
            return
        then, self.unwound = self.unwound, None
        if then is not None:
            then()

    def _on_stop(self, message: Stop, envelope: Envelope) -> None:
        self._stop_asked.append(envelope)
        if self.status is Status.STOPPING:
            return
        self.receive = None
        self.stopping = message
        self.status = Status.STOPPING
        self._unwind(self._stop_actor)

    def _stop_actor(self) -> None:
        stopping, actor = self.stopping, self.actor
        assert stopping is not None
        if actor is not None and not self.context.retired:
            if self.spec.drain_on_stop and not self._drain():
                return  # it failed or hung on the way, and is seen to
            self.context.begin(self._stop_asked[0])
            try:
                actor.stop(self.context, stopping.reason)
            except BaseException as error:  # a failed stop is recorded, and is a stop all the same
                self.raised(error, "stop", None)
                return
            if not self.owns_turn():
                return
        self._stop_completed()

    def _drain(self) -> bool:
        """Handle what already waits in the user lane; False: the incarnation ended over it."""
        while True:
            try:
                envelope = self.mailbox.take_user()
            except IndexError:
                return True
            self.processed += 1
            self._give(envelope)
            if not self.owns_turn() or self.actor is None:
                return False

    def _stop_completed(self) -> None:
        stopping = self.stopping
        assert stopping is not None
        self._discard_incarnation()
        if self.children:  # spawned by the last it did
            self._unwind(self._stop_completed)
            return
        asked, self._stop_asked = self._stop_asked, []
        if stopping.keep:
            self.status = Status.KEPT
        else:
            self._finalise(stopping.reason)
        self.runtime.record("stopped", self, stopping.reason)
        self._report(
            ChildStopped(
                name=self.name,
                incarnation=self.incarnation,
                reason=stopping.reason,
                kept=stopping.keep,
            )
        )
        for envelope in asked:
            self.context.answer(envelope, None)

    def _finalise(self, reason: str) -> None:
        """The address ends here: what still waits is accounted for, watchers are told."""
        self.status = Status.STOPPED
        self.mailbox.close()
        self.runtime.forget_cell(self)
        self._stop()  # pykka's: leaves its registry and sets its flag
        for watcher in self.watchers:
            self.runtime.tell_terminated(watcher, self, reason)
        held, self._start_held = self._start_held, []
        for envelope in held:
            self.runtime.dead_letter(DeadLetterReason.STOPPED, self.path, envelope)
        self.sweep()

    def sweep(self) -> None:
        """Account for everything in a closed mailbox. Any thread may; each envelope comes once."""
        for envelope in self.mailbox.sweep():
            self._account_for(envelope)

    def _account_for(self, envelope: Envelope) -> None:
        """Nobody will handle this one any more."""
        if isinstance(envelope.message, Watch):
            self.runtime.tell_terminated(envelope.message.watcher, self, "had stopped")
        elif isinstance(envelope.message, System):
            self.context.answer(envelope, None)
        else:
            self.runtime.dead_letter(DeadLetterReason.STOPPED, self.path, envelope)

    def _drop_user_lane(self) -> None:
        while True:
            try:
                envelope = self.mailbox.take_user()
            except IndexError:
                return
            self.runtime.dead_letter(DeadLetterReason.DROPPED, self.path, envelope)

    def _on_watch(self, message: Watch, _envelope: Envelope) -> None:
        self.watchers[message.watcher] = None

    def _on_unwatch(self, message: Unwatch, _envelope: Envelope) -> None:
        self.watchers.pop(message.watcher, None)

    def _on_ping(self, _message: Ping, _envelope: Envelope) -> None:
        if self.status is Status.RUNNING and not self._between_incarnations():
            self.progress_at = self.runtime.now()

    def view(self) -> dict[str, object]:
        """The actor's own view of its state, or why there is none."""
        if self.actor is None:
            return {"status": self.status.value, "last_failure": self.last_failure()}
        try:
            return dict(self.actor.state_view())
        except Exception as error:  # a debugger's question must not fail an actor
            return {"state_view_failed": in_words(error)}

    def last_failure(self) -> str:
        """The newest failure as text; empty if there was none."""
        return self.failures[-1].error if self.failures else ""

    def _report(self, report: ChildStarted | ChildFailed | ChildStopped) -> None:
        if self.parent is not None:
            self.parent.tell_system(report, by=self)

    def overflowed(self, envelope: Envelope, reason: DeadLetterReason) -> None:
        """A message did not get in: it is a dead letter, and on the order path a failure."""
        if reason is DeadLetterReason.STOPPED:
            self._account_for(envelope)
            return
        if envelope.special is not None and envelope.special.timer is not None:
            envelope.special.timer.waiting = False  # a later tick may get in
        if isinstance(envelope.message, System):
            self.context.answer(envelope, None)
        else:
            self.runtime.dead_letter(reason, self.path, envelope)
        if envelope.message.is_control:
            self.runtime.fail_closed(f"{self.path}: its control lane is full")
        elif self.spec.mailbox.overflow is Overflow.FAIL:
            self.tell_system(Overflowed(self.incarnation, self.mailbox.bound))

    def _on_overflowed(self, message: Overflowed, _envelope: Envelope) -> None:
        if message.incarnation == self.incarnation and self.status is Status.RUNNING:
            self.fail(MailboxFull(f"more than {message.bound} messages wait"), "receive", None)

    @property
    def shown_status(self) -> str:
        """For people: what the supervisor says of it, or suspension, before the bare status."""
        if self.suspended and self.status is Status.RUNNING:
            return "suspended"
        return self.label or self.status.value

    def __str__(self) -> str:
        return f"{self.path}#{self.incarnation}"


Cell._system = {  # filled here, once the methods exist
    Start: Cell._on_start,
    StartOverdue: Cell._on_start_overdue,
    Stop: Cell._on_stop,
    StopOverdue: Cell._on_stop_overdue,
    Hung: Cell._on_hung,
    Watch: Cell._on_watch,
    Unwatch: Cell._on_unwatch,
    Suspend: visitors.suspend,
    Resume: visitors.resume,
    Ping: Cell._on_ping,
    Inspect: visitors.inspect,
    Retap: visitors.retap,
    Overflowed: Cell._on_overflowed,
    Foreign: visitors.call_foreign,
}
