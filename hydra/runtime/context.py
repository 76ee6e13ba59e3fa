"""What the runtime gives one incarnation of an actor: its `Context`."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hydra.actor import Actor, ChildSpec, Ref, StashFull
from hydra.runtime.envelope import AskedBy, DeadLetterReason, Envelope, Special, Timer
from hydra.runtime.taps import receiving, sending
from messages.lifecycle import ReceiveTimeout, Replied
from messages.message import Message

if TYPE_CHECKING:
    from hydra.runtime.cell import Cell
    from hydra.runtime.runtime import Runtime

_RECEIVE_TIMEOUT = "receive-timeout"


class ActorContext:
    """Implements `hydra.actor.Context`. One per incarnation; retired when that ends.

    A retired context dead-letters what it is told to send (FENCED): the thread of a hung handler
    cannot be killed, and what it does when it wakes must reach nobody.
    """

    __slots__ = (
        "_cells",
        "_deliver",
        "_market_at",
        "_market_for",
        "_rng",
        "_sent",
        "_timer_count",
        "cell",
        "envelope",
        "handled_at",
        "incarnation",
        "moment",
        "path",
        "receive_timeout",
        "retired",
        "runtime",
        "start_deferred",
        "timers",
    )

    def __init__(self, cell: Cell, runtime: Runtime, incarnation: int) -> None:
        self.cell = cell
        self.runtime = runtime
        self.path = cell.path
        self.incarnation = incarnation
        self.envelope = Envelope(None, (cell.path, incarnation, 0), None, None, 0)
        self.moment = 0
        self.retired = False
        self.start_deferred = False
        self.timers: dict[str, Timer] = {}
        self.receive_timeout: int | None = None
        self.handled_at = 0
        self._cells = runtime.cells
        self._deliver: Callable[[Cell, Envelope], None] = runtime.deliver
        self._sent = 0
        self._timer_count = 0
        self._market_for = -1
        self._market_at = 0
        self._rng: random.Random | None = None

    def begin(self, envelope: Envelope) -> None:
        """This is the message being handled; the clocks stand still until the next one."""
        self.envelope = envelope
        self.moment = self.runtime.begun(self)

    def market_is(self, moment: int, market: int) -> None:
        """At this moment of machine time it is this market time, whatever its clock says later."""
        self._market_for, self._market_at = moment, market

    def reroute(self, deliver: Callable[[Cell, Envelope], None]) -> None:
        """From now on messages go this way (a filter was set, say), seen by whoever looks."""
        taps = self.runtime.taps.on(self.path)
        self._deliver = sending(taps, self, deliver) if taps else deliver

    @property
    def me(self) -> Ref[Any]:
        """See `Context.me`."""
        return Ref(self.path)

    @property
    def parent(self) -> Ref[Any] | None:
        """See `Context.parent`."""
        parent = self.cell.parent
        return None if parent is None else parent.ref

    @property
    def sender(self) -> Ref[Any] | None:
        """See `Context.sender`."""
        path = self.envelope.id[0]
        return Ref(path) if path.startswith("/") else None

    @property
    def rng(self) -> random.Random:
        """See `Context.rng`."""
        if self._rng is None:
            name = f"{self.runtime.seed}|{self.path}|{self.incarnation}".encode()
            self._rng = random.Random(hashlib.blake2b(name, digest_size=16).digest())
        return self._rng

    def now(self) -> int:
        """See `Context.now`."""
        return self.moment

    def market_time(self) -> int:
        """See `Context.market_time`."""
        if self._market_for != self.moment:
            self._market_at = self.runtime.market_time_at(self.moment)
            self._market_for = self.moment
        return self._market_at

    def new_id(self) -> str:
        """See `Context.new_id`."""
        self._sent += 1
        return f"{self.path}#{self.incarnation}.{self._sent}"

    def tell(self, ref: Ref[Any], message: Message, *, corr: str | None = None) -> None:
        """See `Context.tell`."""
        self._sent = number = self._sent + 1
        handled = self.envelope
        envelope = Envelope(
            message,
            (self.path, self.incarnation, number),
            handled.id,
            corr or handled.corr,
            self.moment,
        )
        cell = self._cells.get(ref.path)
        if cell is None:
            self.runtime.dead_letter(DeadLetterReason.NO_SUCH_PATH, ref.path, envelope)
        elif self.retired:
            self.runtime.dead_letter(DeadLetterReason.FENCED, ref.path, envelope)
        else:
            self._deliver(cell, envelope)

    def _envelope_for(
        self, message: Any, special: Special | None = None, corr: str | None = None
    ) -> Envelope:
        self._sent += 1
        handled = self.envelope
        message_id = (self.path, self.incarnation, self._sent)
        return Envelope(message, message_id, handled.id, corr or handled.corr, self.moment, special)

    def publish(self, topic: str, message: Message, *, corr: str | None = None) -> None:
        """See `Context.publish`. All receivers get the same envelope, hence the same id."""
        envelope = self._envelope_for(message, corr=corr)
        if self.retired:
            self.runtime.dead_letter(DeadLetterReason.FENCED, topic, envelope)
            return
        deliver = self._deliver
        for cell in self.runtime.bus.subscribers(topic):
            deliver(cell, envelope)

    def subscribe(self, topic: str) -> None:
        """See `Context.subscribe`."""
        if not self.retired:
            self.runtime.bus.subscribe(topic, self.cell)

    def unsubscribe(self, topic: str) -> None:
        """See `Context.unsubscribe`."""
        if not self.retired:
            self.runtime.bus.unsubscribe(topic, self.cell)

    def log(self, event: str, **fields: object) -> None:
        """See `Context.log`."""
        if not self.retired:
            self.runtime.log(event, self.path, fields, self._envelope_for)

    def ask(self, ref: Ref[Any], message: Message, *, within: int, tag: str) -> None:
        """See `Context.ask`."""
        if self.retired:
            fenced = self._envelope_for(message)
            self.runtime.dead_letter(DeadLetterReason.FENCED, ref.path, fenced)
            return
        key = f"ask:{tag}"
        self.after(within, Replied(tag=tag, timed_out=True), key=key)
        asked_by = AskedBy(self.path, tag, self.timers[key])
        special = Special(reply_to=asked_by, deadline=self.moment + within)
        envelope = self._envelope_for(message, special)
        cell = self._cells.get(ref.path)
        if cell is None:
            self.runtime.dead_letter(DeadLetterReason.NO_SUCH_PATH, ref.path, envelope)
        else:
            self._deliver(cell, envelope)

    def reply(self, message: Message) -> None:
        """See `Context.reply`."""
        special = self.envelope.special
        if special is not None and special.reply_to is not None:
            if self.retired:
                fenced = self._envelope_for(message)
                self.runtime.dead_letter(DeadLetterReason.FENCED, self.envelope.id[0], fenced)
            else:
                self.answer(self.envelope, message)
        elif (sender := self.sender) is not None:
            self.tell(sender, message)
        else:
            self.runtime.dead_letter(
                DeadLetterReason.NO_SUCH_PATH, self.envelope.id[0], self._envelope_for(message)
            )

    def answer(self, envelope: Envelope, value: Any) -> None:
        """Answer whoever asked with this envelope, once; nobody asked: nothing happens."""
        self.runtime.answer(envelope, value, None, self._envelope_for)

    def answer_error(self, envelope: Envelope, error: BaseException) -> None:
        """Tell whoever asked with this envelope that there will be no answer, and why."""
        self.runtime.answer(envelope, None, error, self._envelope_for)

    def after(self, delay: int, message: Message, *, key: str = "") -> None:
        """See `Context.after`."""
        self._set_timer(key or type(message).__name__, delay, message, 0, coalesce=False)

    def every(self, period: int, message: Message, *, key: str = "", coalesce: bool = True) -> None:
        """See `Context.every`."""
        if period <= 0:
            raise ValueError(f"a period must be over 0 ns, found {period}")
        self._set_timer(key or type(message).__name__, period, message, period, coalesce=coalesce)

    def _set_timer(
        self, key: str, delay: int, message: Any, period: int, *, coalesce: bool
    ) -> None:
        if self.retired:
            return
        if not isinstance(message, Message):  # it would fail in the thread that all timers share
            raise TypeError(f"{message!r} is not a Message")
        self._timer_count += 1
        due = self.runtime.now() + max(0, delay)
        timer = Timer(key, self._timer_count, message, period, coalesce, due)
        self.timers[key] = timer
        self.runtime.schedule_timer(timer, self)

    def cancel(self, key: str) -> None:
        """See `Context.cancel`."""
        self.timers.pop(key, None)

    def timer_due(self, timer: Timer) -> Envelope | None:
        """The envelope for a timer that is due; None if it is no longer current or still waits."""
        if self.retired or timer.waiting or self.timers.get(timer.key) is not timer:
            return None
        timer.waiting = True
        timer.fired += 1
        sender = f"~{self.path}:{timer.key}.{timer.generation}"
        message_id = (sender, self.incarnation, timer.fired)
        return Envelope(
            timer.message, message_id, None, None, self.runtime.now(), Special(timer=timer)
        )

    def set_receive_timeout(self, delay: int | None) -> None:
        """See `Context.set_receive_timeout`."""
        if self.retired:
            return
        self.receive_timeout = delay
        self.handled_at = self.moment
        if delay is None:
            self.cancel(_RECEIVE_TIMEOUT)
        else:
            self.after(delay, ReceiveTimeout(), key=_RECEIVE_TIMEOUT)
        self.cell.receiver_changed()

    def receiver(self, actor: Actor[Any]) -> Callable[[Any, ActorContext], None]:
        """What is called for each user message: the actor's own method, if that is all."""
        receive = actor.receive if self.receive_timeout is None else self._noting(actor)
        self.reroute(self.runtime.deliver)
        taps = self.runtime.taps.on(self.path)
        return receiving(taps, self.path, receive) if taps else receive

    def _noting(self, actor: Actor[Any]) -> Callable[[Any, ActorContext], None]:
        """The actor's method, with the time noted at which something came."""

        def receive_and_note(message: Any, context: ActorContext) -> None:
            if isinstance(message, ReceiveTimeout):
                if self.receive_timeout is None:
                    return
                quiet = self.moment - self.handled_at
                if quiet < self.receive_timeout:  # something came meanwhile: wait for the rest
                    rest = self.receive_timeout - quiet
                    self.after(rest, message, key=_RECEIVE_TIMEOUT)
                    return
                self.after(self.receive_timeout, message, key=_RECEIVE_TIMEOUT)
            self.handled_at = self.moment
            actor.receive(message, context)

        return receive_and_note

    def stash(self) -> None:
        """See `Context.stash`."""
        stash, envelope = self.cell.stash, self.envelope
        if self.retired or (stash and stash[-1] is envelope):
            return
        if len(stash) >= self.cell.spec.mailbox.stash_bound:
            raise StashFull(f"{len(stash)} messages are set aside already")
        if envelope.special is not None:
            envelope.special.timer = (
                None  # it has been let in: what becomes of the timer is no matter
            )
        stash.append(envelope)

    def unstash(self) -> None:
        """See `Context.unstash`."""
        cell = self.cell
        if cell.stash and not self.retired:
            cell.mailbox.put_back(cell.stash)
            cell.stash = []
            cell.wake()

    def watch(self, ref: Ref[Any]) -> None:
        """See `Context.watch`."""
        if not self.retired:
            self.runtime.watch(ref.path, self.path)

    def unwatch(self, ref: Ref[Any]) -> None:
        """See `Context.unwatch`."""
        if not self.retired:
            self.runtime.unwatch(ref.path, self.path)

    def spawn(self, spec: ChildSpec) -> Ref[Any]:
        """See `Context.spawn`."""
        if self.retired:
            raise RuntimeError(f"{self.path}#{self.incarnation} is fenced and cannot spawn")
        return self.cell.spawn(spec)

    def stop(self, ref: Ref[Any], *, keep: bool = False, reason: str = "stopped") -> None:
        """See `Context.stop`."""
        if self.retired:
            return
        if ref.path == self.path:
            self.runtime.stop_cell(self.cell, reason)
            return
        parent, _, name = ref.path.rpartition("/")
        if parent != self.path:
            raise ValueError(f"{ref.path} is not a child of {self.path}")
        child = self.cell.children.get(name)
        if child is not None:  # else it has ended by itself meanwhile
            self.cell.request_stop(child, reason, keep=keep)

    def label(self, ref: Ref[Any], text: str) -> None:
        """See `Context.label`."""
        child = self.cell.children.get(ref.name)
        if child is not None and not self.retired:
            child.label = text

    def defer_start(self) -> None:
        """See `Context.defer_start`."""
        self.start_deferred = True

    def started(self) -> None:
        """See `Context.started`."""
        if not self.retired:
            self.cell.start_completed()

    def retire(self) -> None:
        """This incarnation is over: its timers are void, and it reaches nobody any more."""
        self.retired = True
        self.timers = {}
