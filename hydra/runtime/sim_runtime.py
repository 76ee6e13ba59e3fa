"""The simulated runtime: the same actors on one thread, in virtual time.

*Canonical*: messages are handled in the order they were sent, each instant to its end before time
moves on. Fast; for replay, backtests and most tests. *Explore*: a seeded choice of who runs next,
delays on every edge, handlers that take time, late timers. For finding races; see `explore`.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, TypeVar

import pykka

from hydra.actor import SECOND, ChildSpec, Ref
from hydra.runtime.cell import Cell
from hydra.runtime.context import ActorContext
from hydra.runtime.envelope import DeadLetterReason, Envelope, Special, Timer
from hydra.runtime.explore import ExploreOptions, Explorer
from hydra.runtime.gate import UNLIMITED_LEASE
from hydra.runtime.guard import Guard
from hydra.runtime.lease import RENEW_EVERY, LeaseKeeper
from hydra.runtime.life import Status
from hydra.runtime.runtime import NoReplyInTime, Runtime
from hydra.runtime.system import Hung
from hydra.runtime.trace import Trace
from hydra.trading.durations import HOUR
from hydra.trading.trading_state import TradingState
from messages.journal import WriteEntry
from messages.lifecycle import Phase

Event = TypeVar("Event")

EPOCH = 1_767_623_400 * SECOND
"""When virtual time begins unless told otherwise: 2026-01-05 14:30 UTC, a Monday's opening bell."""

PAUSE = HOUR
"""Events further apart have a night between them, or a weekend."""

EdgeFilter = Callable[[Cell, Envelope], "tuple[int, ...] | None"]
"""Looks at a message on its way to a cell: None lets it pass; else one copy arrives after each
delay (ns) in the tuple, and none at all if that is empty."""


class SimulatedHang(BaseException):
    """Raised in place of a handler that never returns."""


class SimFuture(pykka.Future[Any]):
    """A future whose `get` runs the simulation until it is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.runtime: SimRuntime | None = None
        self.answered = False
        self._value: Any = None
        self._error: BaseException | None = None

    def get(self, *, timeout: float | None = None) -> Any:
        """Run until the answer is there. Raises `pykka.Timeout` after `timeout` virtual seconds."""
        if self._get_hook is not None:  # pykka's own wrapping, as in its `stop`
            return self._get_hook(timeout)
        if not self.answered and self.runtime is not None:
            within = int((60.0 if timeout is None else timeout) * SECOND)
            self.runtime.run_until(lambda: self.answered, within=within)
        if not self.answered:
            raise pykka.Timeout(f"no answer within {timeout} virtual seconds")
        if self._error is not None:
            raise self._error
        return self._value

    def set(self, value: Any = None) -> None:
        """Answer it; the first answer stands."""
        if not self.answered:
            self.answered, self._value = True, value

    def set_exception(self, exc_info: Any = None) -> None:
        """Answer it with an error."""
        if not self.answered:
            self.answered, self._error = True, exc_info[1]


class SimCell(Cell):
    """A cell that is run by the simulation's loop."""

    __slots__ = ("busy_until", "runnable", "stuck", "stuck_on", "stuck_since")

    runtime: SimRuntime

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return SimFuture()

    def _start_actor_loop(self) -> None:
        """pykka's hook: from here on the simulation runs this cell."""
        self.stuck = False
        self.stuck_on: Envelope | None = None
        self.stuck_since = 0
        self.runnable = False
        self.busy_until = 0  # the explore schedule's: afterwards it is put in line again

    def put(self, envelope: Envelope) -> None:
        """See `Cell.put`."""
        self.runtime.deliver(self, envelope)

    def arrive(self, envelope: Envelope) -> None:
        """The message is here, however it came: into the mailbox, and in line."""
        mailbox = self.mailbox
        if envelope.message.is_control:
            reason = mailbox.put_control(envelope)
            if reason is None:
                self.runtime.ready_control.append(self)
        else:
            depth = len(mailbox.user)
            if depth < mailbox.room:  # `put_user` without the call: this is the hot path
                mailbox.user.append(envelope)
                if depth >= mailbox.high_water:
                    mailbox.high_water = depth + 1
                self.runtime.ready.append(self)
                return
            reason = mailbox.put_user(envelope)
            if reason is None:
                self.runtime.ready.append(self)
        if reason is not None:
            self.overflowed(envelope, reason)

    def raised(self, error: BaseException, phase: Phase, envelope: Envelope | None) -> None:
        """See `Cell.raised`."""
        self.runtime.guard.rearm()
        if isinstance(error, SimulatedHang):
            self.runtime.hang(self, envelope)
        else:
            super().raised(error, phase, envelope)

    def owns_turn(self) -> bool:
        """See `Cell.owns_turn`."""
        return not self.stuck

    def wake(self) -> None:
        """See `Cell.wake`. A place in line for each message; a superfluous one is harmless."""
        self.runtime.ready_control.extend([self] * len(self.mailbox.control))
        self.runtime.ready.extend([self] * len(self.mailbox.user))


class SimRuntime(Runtime):
    """See the module. Machine time and market time are the same virtual time.

    `explore`: options (or a seed for them) of the explore schedule; None is canonical.
    `idle_ticks_every`: canonical, and while the gate is open, a periodic timer that coalesces ticks
    no more often than this (ns), however many events there are meanwhile; but always after a pause
    of the events. 0: once between events.
    `trace`: record and hash what is handled. `strict`: raise on leaks of real time and randomness.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        journal: Ref[WriteEntry] | None = None,
        start_at: int = EPOCH,
        idle_ticks_every: int = 0,
        explore: ExploreOptions | int | None = None,
        trace: bool = False,
        strict: bool = False,
    ) -> None:
        self._now = start_at
        self._idle_ticks_every = idle_ticks_every
        self._skipping: dict[Timer, ActorContext] = {}
        """The timers whose next tick comes long after the next event."""
        self.ready: deque[SimCell] = deque()
        self.ready_control: deque[SimCell] = deque()
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._next_event_at: int | None = None
        self._running = False
        self._filters: list[EdgeFilter] = []
        self._explorer: Explorer | None = None
        if explore is not None:
            options = ExploreOptions.drawn(explore) if isinstance(explore, int) else explore
            self._explorer = Explorer(options, None if journal is None else journal.path)
        self._deliver: Callable[[Any, Envelope], None] = SimCell.arrive
        if self._explorer is not None:
            self._deliver = self._travel
        self.trace = Trace() if trace or explore is not None else None
        self.guard = Guard(enabled=strict)
        super().__init__(seed=seed, journal=journal)
        self._lease = LeaseKeeper(self)
        if self._explorer is not None:
            self.call_at(self._now + RENEW_EVERY, self._renew_lease)

    @property
    def deliver(self) -> Callable[[Any, Envelope], None]:
        """See `Runtime.deliver`."""
        return self._deliver

    def now(self) -> int:
        """See `Runtime.now`."""
        return self._now

    def market_time_at(self, moment: int) -> int:
        """See `Runtime.market_time_at`."""
        return moment

    def create_cell(self, spec: ChildSpec, parent: Cell | None) -> Cell:
        """See `Runtime.create_cell`."""
        with self.guard.lifted():
            ref = SimCell.start(self, spec, parent)
            # pykka's registry is one for the process and would keep every simulation ever made.
            pykka.ActorRegistry.unregister(ref)
        cell: Cell = ref.actor_inbox.cell  # type: ignore[attr-defined]  # it is our Inbox
        self.adopt(cell)
        return cell

    def call_later(self, delay: int, action: Callable[[], None]) -> None:
        """See `Runtime.call_later`."""
        self.call_at(self._now + delay, action)

    def schedule_timer(self, timer: Timer, context: ActorContext) -> None:
        """See `Runtime.schedule_timer`."""
        late = 0 if self._explorer is None else self._explorer.timer_lateness()
        due = timer.due
        self.call_at(due + late, lambda: self._fire(timer, context, due))

    def _fire(self, timer: Timer, context: ActorContext, due: int) -> None:
        """The timer is due, unless it is history, or was to be due at another time by now."""
        if context.retired or context.timers.get(timer.key) is not timer or due != timer.due:
            return
        envelope = context.timer_due(timer)
        if envelope is not None:
            cell = context.cell
            assert isinstance(cell, SimCell)
            cell.arrive(envelope)
        if timer.period:
            missed = max(0, self._now - timer.due) // timer.period
            timer.due += (missed + 1) * timer.period
            if timer.coalesce and self._explorer is None and self._next_event_at is not None:
                self._skip_idle_ticks(timer, context, self._next_event_at)
            next_due = timer.due
            self.call_at(next_due, lambda: self._fire(timer, context, next_due))

    def _skip_idle_ticks(self, timer: Timer, context: ActorContext, event: int) -> None:
        """Nothing can happen before the next event, and maybe nothing that matters long after."""
        until = event
        if self._idle_ticks_every and self.gate.state is TradingState.ACTIVE:
            until = max(event, self._now + self._idle_ticks_every)
            self._skipping[timer] = context
        behind = max(0, until + 1 - timer.due)
        timer.due += -(-behind // timer.period) * timer.period

    def _stop_skipping(self) -> None:
        """The next tick of each timer that skips idle ones comes after this event."""
        for timer, context in self._skipping.items():
            early = max(0, timer.due - self._now - 1) // timer.period
            if early:
                timer.due -= early * timer.period
                self.schedule_timer(timer, context)
        self._skipping.clear()

    def abandon(self, cell: Cell) -> bool:
        """See `Runtime.abandon`."""
        assert isinstance(cell, SimCell)
        if not cell.stuck:
            return False
        self._fence(cell)
        return True

    def settle_future(
        self, future: pykka.Future[Any], value: Any, error: BaseException | None
    ) -> None:
        """See `Runtime.settle_future`."""
        if error is None:
            future.set(value)
        else:
            future.set_exception((type(error), error, error.__traceback__))

    def accept_foreign(self, cell: Cell, message: Any, reply_to: Any) -> None:
        """See `Runtime.accept_foreign`."""
        if isinstance(reply_to, SimFuture):
            reply_to.runtime = self
        super().accept_foreign(cell, message, reply_to)

    def ask(self, ref: Ref[Any], message: Any, *, within: float) -> Any:
        """See `Runtime.ask`, in virtual seconds. Runs the simulation; refused in a handler."""
        if self._running:
            raise RuntimeError("an actor must not wait for another; use Context.ask")
        future = SimFuture()
        future.runtime = self
        deadline = self._now + int(within * SECOND)
        self._kernel.tell(ref, message, special=Special(reply_to=future, deadline=deadline))
        try:
            return future.get(timeout=within)
        except pykka.Timeout:
            raise NoReplyInTime(f"{ref.path} did not answer within {within:g} s") from None

    def record(self, what: str, cell: Cell, detail: str, *, trace: str = "") -> None:
        """See `Runtime.record`. In canonical time the lease holds as long as the chain runs."""
        super().record(what, cell, detail, trace=trace)
        if what in ("started", "stopped") and cell.spec.critical and self._explorer is None:
            members = self.safety_chain()
            if all(member is not None and member.status is Status.RUNNING for member in members):
                self.gate.renew_lease(UNLIMITED_LEASE)
            else:
                self.gate.revoke_lease()

    def call_at(self, due: int, action: Callable[[], None]) -> None:
        """Run `action` when virtual time has come to `due`."""
        heapq.heappush(self._heap, (due, next(self._order), action))

    def settle(self) -> None:
        """Handle everything that can be handled without time moving on."""
        if self._running:
            raise RuntimeError("the simulation is running already")
        self._running = True
        try:
            if self._explorer is None and self.trace is None and not self.guard.is_enabled:
                self._settle_fast()
                return
            with self.guard.watching():
                if self._explorer is not None:
                    self._settle_exploring(self._explorer)
                elif self.trace is not None:
                    self._settle_tracing(self.trace)
                else:
                    self._settle_fast()
        finally:
            self._running = False

    def advance(self, duration: int) -> None:
        """Let `duration` ns of virtual time pass, with everything that happens in it."""
        self._advance_to(self._now + duration)

    def _advance_to(self, until: int) -> None:
        self.settle()
        heap = self._heap
        while heap and heap[0][0] <= until:
            due, _, action = heapq.heappop(heap)
            self._now = max(self._now, due)
            action()
            self.settle()
        self._now = max(self._now, until)

    def freeze(self, duration: int) -> None:
        """`duration` ns pass in which nothing runs, as if the process had been stopped for so long.
        What was due meanwhile is late.
        """
        self._now += duration

    def run_until(self, holds: Callable[[], bool], *, within: int) -> bool:
        """Let time pass until `holds()`, at most `within` ns; whether it does."""
        until = self._now + within
        self.settle()
        while not holds():
            if not self._heap or self._heap[0][0] > until:
                self._now = until
                return holds()
            due, _, action = heapq.heappop(self._heap)
            self._now = max(self._now, due)
            action()
            self.settle()
        return True

    def play(self, events: Iterable[tuple[int, Event]], sink: Callable[[Event], None]) -> int:
        """Give each event to `sink` at its time (UTC ns, ascending); gives how many there were.

        Timers due at the same time come first. The next event is looked at one ahead, so that idle
        ticks of coalescing timers can be left out; events are not pushed through the timer heap.
        """
        played = 0
        heap = self._heap
        source = iter(events)
        head = next(source, None)
        self.settle()  # what was told before belongs to the time before
        while head is not None:
            at, event = head
            self._next_event_at = at
            if at < self._now:
                raise ValueError(f"events must ascend in time: {at} comes after {self._now}")
            is_idle = not self._skipping or self._is_idle_until(at)
            if heap and heap[0][0] <= at:
                self._advance_to(at)
            self._now = at
            if not is_idle:
                self._stop_skipping()
            head = next(source, None)
            self._next_event_at = head[0] if head is not None else None
            sink(event)
            if self.ready or self.ready_control:  # of many events nobody is told
                self.settle()
            played += 1
        return played

    def _is_idle_until(self, event: int) -> bool:
        """Not so where trading is halted, which each tick may end, or where a pause is over."""
        return self.gate.state is TradingState.ACTIVE and event - self._now <= PAUSE

    def _settle_fast(self) -> None:
        """Canonical, nothing recorded. One test of each lane a message."""
        control, ready = self.ready_control, self.ready
        take_control, take_ready = control.popleft, ready.popleft
        while True:
            while control:
                self._run_control(take_control())
            if not ready:
                return
            cell = take_ready()
            receive = cell.receive
            mailbox = cell.mailbox
            if receive is None or not mailbox.user:
                continue
            envelope = mailbox.user.popleft() if mailbox.plain else mailbox.take_user()
            context = cell.context
            context.envelope = envelope
            context.moment = self._now
            cell.processed += 1
            try:
                if envelope.special is None:
                    receive(envelope.message, context)
                elif cell.admits(envelope):
                    receive(envelope.message, context)
                    cell.finished(envelope)
            except BaseException as error:  # whatever it is, it must reach the supervisor
                cell.raised(error, "receive", envelope)

    def _settle_tracing(self, trace: Trace) -> None:
        """Canonical, everything recorded."""
        while True:
            while self.ready_control:
                cell = self.ready_control.popleft()
                self._trace_control(cell, trace)
                self._run_control(cell)
            if not self.ready:
                return
            self._run_user(self.ready.popleft(), trace)

    def _settle_exploring(self, explorer: Explorer) -> None:
        """Explore: whoever is drawn runs one message and is busy for a while."""
        trace = self.trace
        assert trace is not None
        while True:
            for waiting in (self.ready_control, self.ready):
                while waiting:
                    cell = waiting.popleft()
                    if not cell.runnable and cell.busy_until <= self._now:
                        cell.runnable = True
                        explorer.add(cell)
            chosen = explorer.choose()
            if chosen is None:
                return
            chosen.runnable = False
            if chosen.mailbox.control and not chosen.stuck:
                self._trace_control(chosen, trace)
                self._run_control(chosen)
            elif not self._run_user(chosen, trace):
                continue
            explorer.occupy(chosen, self._now)
            if chosen.busy_until > self._now:
                self.call_at(chosen.busy_until, chosen.wake)
            else:
                chosen.wake()

    def _trace_control(self, cell: SimCell, trace: Trace) -> None:
        if cell.mailbox.control and not cell.stuck:
            trace.add(self._now, cell.path, cell.mailbox.control[0])

    def _run_control(self, cell: SimCell) -> None:
        if cell.mailbox.control and not cell.stuck:
            cell.handle_control(cell.mailbox.control.popleft())

    def _run_user(self, cell: SimCell, trace: Trace) -> bool:
        receive = cell.receive
        if receive is None or not cell.mailbox.user:
            return False
        envelope = cell.mailbox.take_user()
        context = cell.context
        context.begin(envelope)
        cell.processed += 1
        trace.add(self._now, cell.path, envelope)
        try:
            if cell.admits(envelope):
                receive(envelope.message, context)
                cell.finished(envelope)
        except BaseException as error:  # whatever it is, it must reach the supervisor
            cell.raised(error, "receive", envelope)
        entry = (envelope, self._now, 0)
        cell.handled.append(entry)
        if envelope.corr is not None:
            cell.handled.named.append(entry)
        return True

    def hang(self, cell: SimCell, envelope: Envelope | None) -> None:
        """The handler does not return: nothing of this cell runs until the watch finds it."""
        cell.stuck, cell.stuck_on = True, envelope
        cell.receive = None
        cell.stuck_since = self._now
        incarnation = cell.incarnation

        def find() -> None:
            if cell.stuck and cell.incarnation == incarnation:
                if cell.spec.critical:
                    busy_s = (self._now - cell.stuck_since) / SECOND
                    self.trip_for(cell, f"hung for {busy_s:.1f} s")
                self._fence(cell)

        self.call_at(self._now + cell.spec.hang_after + 1, find)

    def _fence(self, cell: SimCell) -> None:
        """Nothing that is stuck here reaches anybody; the first thing handled is that it hung."""
        cell.stuck = False
        cell.context.retired = True
        hung = Hung(cell.incarnation, self._now - cell.stuck_since, cell.stuck_on)
        cell.mailbox.control.appendleft(Envelope(hung, self.next_id(), None, None, self._now))
        cell.wake()

    def _renew_lease(self) -> None:
        self._lease.tick(self._now)
        self.call_at(self._now + RENEW_EVERY, self._renew_lease)

    def add_filter(self, edge_filter: EdgeFilter) -> Callable[[], None]:
        """Have every message on its way looked at; gives the function that ends it."""
        self._filters.append(edge_filter)
        self._reroute()

        def remove() -> None:
            self._filters.remove(edge_filter)
            self._reroute()

        return remove

    def _reroute(self) -> None:
        """Choose once how messages travel, not at each message."""
        plain = self._explorer is None and not self._filters
        self._deliver = SimCell.arrive if plain else self._travel
        for cell in self.cells.values():
            cell.context.reroute(self.deliver)

    def _travel(self, cell: SimCell, envelope: Envelope) -> None:
        """The long way: past the filters, then with a drawn delay."""
        delays: tuple[int, ...] | None = None
        for edge_filter in self._filters:
            delays = edge_filter(cell, envelope)
            if delays is not None:
                break
        if delays is not None:
            if not delays:
                self.dead_letter(DeadLetterReason.DROPPED, cell.path, envelope)
            for delay in delays:
                self.call_at(self._now + delay, lambda: cell.arrive(envelope))
            return
        if self._explorer is None:
            cell.arrive(envelope)
            return
        lane = bool(envelope.message.is_control)
        arrives = self._explorer.arrival(envelope.id[0], cell.path, lane, self._now)
        self.call_at(arrives, lambda: cell.arrive(envelope))
