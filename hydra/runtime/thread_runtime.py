"""The live runtime: the same actors on threads, in machine time."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any

import pykka

from hydra.actor import MILLISECOND, Actor, ChildSpec, Dispatcher, Ref
from hydra.runtime.cell import Cell
from hydra.runtime.clock import MarketClock, WallClock, machine_time
from hydra.runtime.context import ActorContext
from hydra.runtime.dispatcher import Dispatcher as Threads
from hydra.runtime.dispatcher import Turn, fence, in_actor_thread
from hydra.runtime.envelope import Envelope, Special, Timer
from hydra.runtime.lease import LEASE, RENEW_EVERY, LeaseKeeper
from hydra.runtime.life import Status, in_words
from hydra.runtime.recorder import FlightRecorder, noted
from hydra.runtime.runtime import NoReplyInTime, Port, Runtime
from hydra.runtime.timers import TimerThread
from messages.journal import WriteEntry

SWITCH_INTERVAL_S = 0.0002
"""How long another thread may keep a hop waiting for the interpreter. Against 0.5 ms a halt is
acknowledged in half the time, quiet and under load; telling is slower by some 5 %."""

WATCH_EVERY = 50 * MILLISECOND


class ThreadCell(Cell):
    """A cell that is run by the threads of a dispatcher."""

    __slots__ = ("turn",)

    runtime: ThreadRuntime
    turn: Turn

    def _start_actor_loop(self) -> None:
        """pykka's hook: from here on the dispatcher runs this cell, a turn at a time."""

    def put(self, envelope: Envelope) -> None:
        """See `Cell.put`."""
        mailbox = self.mailbox
        if envelope.message.is_control:
            reason = mailbox.put_control(envelope)
        else:
            reason = mailbox.put_user(envelope)
            if reason is None and self.receive is None:
                if mailbox.closed:
                    self.sweep()
                return  # it is gated; whoever opens it will look
        if reason is not None:
            self.overflowed(envelope, reason)
            return
        if mailbox.closed:  # it closed between the test and the append: nobody else will look
            self.sweep()
            return
        turn = self.turn
        if turn.scheduled.acquire(False):
            turn.dispatcher.ready.put(self)

    def wake(self) -> None:
        """See `Cell.wake`."""
        turn = self.turn
        if turn.scheduled.acquire(False):
            turn.dispatcher.ready.put(self)

    def owns_turn_now(self) -> bool:
        """Whether the running thread runs this cell, and was not given up for hung."""
        return self.turn.thread is threading.current_thread()

    def _discard_incarnation(self) -> Actor[Any] | None:
        recorder = self.runtime.recorder
        if recorder is not None:
            recorder.ends(self)
        return super()._discard_incarnation()

    def owns_turn(self) -> bool:
        """See `Cell.owns_turn`. Taking the token up proves it, against the watchdog too."""
        turn = self.turn
        if not self.owns_turn_now():
            return False
        try:
            turn.token.pop()
        except IndexError:
            return False
        turn.token.append(machine_time())
        return True


class ThreadRuntime(Runtime):
    """See the module. `start_watch` begins hang detection and lease renewal; `close` ends all."""

    def __init__(
        self,
        *,
        seed: int = 0,
        journal: Ref[WriteEntry] | None = None,
        market_clock: MarketClock | None = None,
        pool_threads: int | None = None,
        switch_interval_s: float | None = SWITCH_INTERVAL_S,
    ) -> None:
        self._market_clock = market_clock or WallClock()
        super().__init__(seed=seed, journal=journal)
        self._switch_interval_before = sys.getswitchinterval()
        if switch_interval_s is not None:
            sys.setswitchinterval(switch_interval_s)
        self._pool = Threads("pool", pool_threads or max(2, min(4, os.cpu_count() or 2)))
        self._timers = TimerThread(self.fail_closed)
        self._watch: threading.Thread | None = None
        self.recorder: FlightRecorder | None = None
        self._lease = LeaseKeeper(self)
        self._looked_at: int | None = None
        self._went_on_at = 0
        """When the watch last went on after it had stood still, with the whole process say."""
        self._closing = threading.Event()
        self._finished = threading.Event()
        self.on_fail_closed(lambda _reason: self._finished.set())

    @property
    def deliver(self) -> Callable[[Cell, Envelope], None]:
        """See `Runtime.deliver`."""
        return ThreadCell.put  # type: ignore[return-value]  # every cell here is a ThreadCell

    def now(self) -> int:
        """See `Runtime.now`."""
        return machine_time()

    def market_time_at(self, moment: int) -> int:
        """See `Runtime.market_time_at`."""
        return self._market_clock.at(moment)

    def record_flight(self, recorder: FlightRecorder) -> None:
        """Have the session recorded: before ports are asked for, and before the tree starts."""
        self.recorder = recorder
        self.gate.on_change(recorder.gate_changed)

    def begun(self, context: ActorContext) -> int:
        """See `Runtime.begun`."""
        now = machine_time()
        if self.recorder is not None:
            self.recorder.begun(context, now)
        return now

    def port(self, name: str, port: Port) -> Port:
        """See `Runtime.port`."""
        return port if self.recorder is None or port is None else noted(self.recorder, name, port)

    def record(self, what: str, cell: Cell, detail: str, *, trace: str = "") -> None:
        """See `Runtime.record`."""
        if self.recorder is not None and what == "failed":
            self.recorder.failed(cell, detail)
        super().record(what, cell, detail, trace=trace)

    def create_cell(self, spec: ChildSpec, parent: Cell | None) -> Cell:
        """See `Runtime.create_cell`."""
        cell = ThreadCell.start(self, spec, parent).actor_inbox.cell  # type: ignore[attr-defined]
        if spec.dispatcher is Dispatcher.PINNED:
            threads = Threads(cell.path, 1)
        else:
            threads = self._pool
        cell.turn = Turn(threads)
        self.adopt(cell)
        return cell  # type: ignore[no-any-return]

    def forget_cell(self, cell: Cell) -> None:
        """See `Runtime.forget_cell`. A pinned cell's thread ends after this turn."""
        super().forget_cell(cell)
        assert isinstance(cell, ThreadCell)
        if cell.turn.dispatcher is not self._pool:
            cell.turn.dispatcher.close()

    def call_later(self, delay: int, action: Callable[[], None]) -> None:
        """See `Runtime.call_later`. It runs in the timer thread."""
        self._timers.at(machine_time() + delay, action)

    def schedule_timer(self, timer: Timer, context: ActorContext) -> None:
        """See `Runtime.schedule_timer`. A periodic timer that fell behind skips what it missed."""

        def fire() -> None:
            if context.retired or context.timers.get(timer.key) is not timer:
                return
            envelope = context.timer_due(timer)
            if envelope is not None:
                context.cell.put(envelope)
            if timer.period:
                missed = max(0, machine_time() - timer.due) // timer.period
                timer.due += (missed + 1) * timer.period
                self._timers.at(timer.due, fire)

        self._timers.at(timer.due, fire)

    def abandon(self, cell: Cell) -> bool:
        """See `Runtime.abandon`."""
        assert isinstance(cell, ThreadCell)
        since = cell.turn.busy_since()
        return since is not None and fence(cell, since)

    def settle_future(
        self, future: pykka.Future[Any], value: Any, error: BaseException | None
    ) -> None:
        """See `Runtime.settle_future`."""
        try:
            if error is None:
                future.set(value)
            else:
                future.set_exception((type(error), error, error.__traceback__))
        except queue.Full:
            pass  # answered already: the first answer stands

    def ask(self, ref: Ref[Any], message: Any, *, within: float) -> Any:
        """See `Runtime.ask`. From an actor's thread it is refused: actors do not wait."""
        if in_actor_thread():
            raise RuntimeError("an actor must not wait for another; use Context.ask")
        future: pykka.Future[Any] = pykka.ThreadingFuture()
        deadline = machine_time() + int(within * 1e9)
        self._kernel.tell(ref, message, special=Special(reply_to=future, deadline=deadline))
        try:
            return future.get(timeout=within)
        except pykka.Timeout:
            raise NoReplyInTime(f"{ref.path} did not answer within {within:g} s") from None

    def wait(self, timeout: float) -> bool:
        """Wait until the engine has failed closed or `finish` was called; False on time-out."""
        return self._finished.wait(timeout)

    def finish(self) -> None:
        """Wake whoever is in `wait`."""
        self._finished.set()

    def start_and_wait(self, spec: ChildSpec, *, within: float) -> bool:
        """Start the tree and wait for the root to run; False: it failed, or took too long."""
        self.start_root(spec)
        return self._until(
            lambda: self.root is not None and self.root.status is Status.RUNNING, within
        )

    def stop_tree(self, reason: str, *, within: float) -> bool:
        """Stop everything in reverse order; False if some of it did not stop in time."""
        root = self.root
        if root is None:
            return True
        if root.status is not Status.STOPPED:
            self.stop_cell(root, reason)
        # Not by its status, which changes first: it has to have left pykka's registry as well.
        return self._until(lambda: not root.actor_ref.is_alive(), within, even_if_failed=True)

    def _until(
        self, holds: Callable[[], bool], within: float, *, even_if_failed: bool = False
    ) -> bool:
        deadline = machine_time() + int(within * 1e9)
        pause = threading.Event()
        while not holds():
            if machine_time() > deadline or (self.failed_closed and not even_if_failed):
                return False
            pause.wait(0.001)
        return True

    def settle(self, *, within: float) -> bool:
        """Wait until no cell runs or has anything waiting (twice in a row); False on time-out."""
        quiet = 0

        def is_quiet() -> bool:
            nonlocal quiet
            quiet = quiet + 1 if self.looks_idle else 0
            return quiet >= 2

        return self._until(is_quiet, within)

    @property
    def looks_idle(self) -> bool:
        """Whether each cell, when it was looked at, neither ran nor had anything waiting. One that
        was looked at first may have been told something since: only a second look makes sure.
        """
        return all(_idle(cell) for cell in list(self.cells.values()))

    def close(self) -> None:
        """End all threads of this runtime. The tree should have been stopped before."""
        self._closing.set()
        self._timers.close()
        if self._watch is not None:
            self._watch.join(timeout=1.0)
        for cell in list(self.cells.values()):
            cell.mailbox.close()
            pykka.ActorRegistry.unregister(cell.actor_ref)
            assert isinstance(cell, ThreadCell)
            cell.turn.dispatcher.close()
        self._pool.close()
        sys.setswitchinterval(self._switch_interval_before)

    def start_watch(self) -> None:
        """Begin to look for hangs, to renew the lease, and to look after the timer thread."""
        self._watch = threading.Thread(target=self._keep_watch, name="hydra-watch", daemon=True)
        self._watch.start()

    def _keep_watch(self) -> None:
        renew_at = 0
        try:
            while not self._closing.wait(WATCH_EVERY / 1e9):
                now = machine_time()
                self.look_for_hangs(now)
                if not self._timers.alive and not self._closing.is_set():
                    self.fail_closed("the timer thread is dead")
                if now >= renew_at:
                    renew_at = now + RENEW_EVERY
                    self._lease.tick(now)
        except BaseException as error:  # without the watch no hang is noticed
            self.fail_closed(f"the watch died: {in_words(error)}")
            raise

    def look_for_hangs(self, now: int) -> None:
        """Fence every handler that has run longer than its spec allows, and report it.

        A time in which nobody looked, as while the process is stopped or the machine suspended, is
        none in which a handler ran: it would be given up for hung in the middle of its work.
        """
        if self._looked_at is not None and now - self._looked_at > LEASE:
            self._went_on_at = now
        self._looked_at = now
        for cell in list(self.cells.values()):
            assert isinstance(cell, ThreadCell)
            since = cell.turn.busy_since()
            if since is None or now - max(since, self._went_on_at) <= cell.spec.hang_after:
                continue
            if cell.spec.critical:
                self.trip_for(cell, f"hung for {(now - since) / 1e9:.1f} s")
            fence(cell, since)


def _idle(cell: Cell) -> bool:
    assert isinstance(cell, ThreadCell)
    mailbox = cell.mailbox
    waiting = bool(mailbox.control) or (bool(mailbox.user) and cell.receive is not None)
    return not waiting and cell.turn.busy_since() is None
