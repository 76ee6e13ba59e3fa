"""The order gate: latch, epoch, permits, lease. Halt is not a message, it is this gate shut.

Every wire write passes `enter` at the last instant and `leave` when it has ended. `trip` closes
the latch before it takes the lock, so that every test after it fails at once; it waits for nothing.
The halt is *acknowledged* when the permits that were out have come back (`when_drained`), because
only then is it certain that nothing more reaches the wire.

Why an epoch: orders that queue behind a halt would otherwise all go out at the next resume. Why a
lease: a guardian that is dead or stuck cannot trip anything, so its silence must be enough.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from msgspec import structs

from hydra.ports import GateKey, GateRefused, Permit, PermitClass
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state

ALLOWED: dict[TradingState, frozenset[PermitClass]] = {
    TradingState.ACTIVE: frozenset(
        {PermitClass.ENTRY, PermitClass.REDUCE, PermitClass.CANCEL, PermitClass.READ}
    ),
    TradingState.CLOSE_ONLY: frozenset({PermitClass.REDUCE, PermitClass.CANCEL, PermitClass.READ}),
    TradingState.HALTED: frozenset({PermitClass.CANCEL, PermitClass.READ}),
}
"""What may pass in each state. Flatten is not here: only an operator's flatten makes that pass."""

_ORDERS = frozenset({PermitClass.ENTRY, PermitClass.REDUCE})
"""The classes bound to an approval, hence to epoch and lease."""

NO_LEASE = -1
UNLIMITED_LEASE = (1 << 63) - 1

BOOT = Cause(
    code="start",
    cause_class=CauseClass.START,
    state=TradingState.HALTED,
    since=0,
    detail="the process has started; preflight and reconciliation have not passed yet",
)


class Gate:
    """See the module. Starts shut, with the cause `start`. All times are machine nanoseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._causes: dict[str, Cause] = {BOOT.code: BOOT}
        self._state = TradingState.HALTED
        self._tripping = 0  # trips that have begun; compared with _tripped, the ones complete
        self._tripped = 0
        self._epoch = 1
        self._lease_until = NO_LEASE
        self._key: GateKey | None = None
        self._numbers = 0
        self._in_flight: dict[int, tuple[str, int, int]] = {}
        self._drained: list[tuple[int, Callable[[int], None]]] = []
        self._on_trip: Callable[[Cause, int], None] | None = None
        self._on_change: Callable[[tuple[Cause, ...]], None] | None = None
        self._flatten_reason: str | None = None
        self.passed = 0
        self.refused = 0

    @property
    def epoch(self) -> int:
        """See `OrderGate.epoch`."""
        return self._epoch

    @property
    def state(self) -> TradingState:
        """See `OrderGate.state`."""
        return self._state

    @property
    def is_drained(self) -> bool:
        """See `OrderGate.is_drained`."""
        with self._lock:
            return all(begun >= self._epoch for _, begun, _ in self._in_flight.values())

    def standing(self) -> tuple[Cause, ...]:
        """See `OrderGate.standing`."""
        with self._lock:
            return tuple(self._causes.values())

    def on_trip(self, listener: Callable[[Cause, int], None]) -> None:
        """`listener(cause, epoch)` runs after each trip, in its thread: it must only tell."""
        self._on_trip = listener

    def on_change(self, listener: Callable[[tuple[Cause, ...]], None]) -> None:
        """`listener(causes)` hears what stands, now and after each change, under the gate's lock:
        so in the order of the changes. It must only take note.
        """
        with self._lock:
            self._on_change = listener
            self._tell_changed()

    def _tell_changed(self) -> None:
        if self._on_change is not None:
            self._on_change(tuple(self._causes.values()))

    def register(self, key: GateKey) -> None:
        """See `OrderGate.register`."""
        with self._lock:
            self._key = key

    def renew_lease(self, until: int) -> None:
        """The safety chain has proved progress: orders may pass until then."""
        self._lease_until = until

    def revoke_lease(self) -> None:
        """No order passes until the lease is renewed."""
        self._lease_until = NO_LEASE

    def lease_left(self) -> int:
        """Nanoseconds for which orders may still pass; 0 or less: none."""
        return self._lease_until - self._clock()

    def enter(self, order_id: str, epoch: int, key: GateKey, permit_class: PermitClass) -> Permit:
        """See `OrderGate.enter`."""
        with self._lock:
            reason = self._refusal(epoch, key, permit_class)
            if reason is not None:
                self.refused += 1
                raise GateRefused(f"{permit_class.value} {order_id}: {reason}")
            self._numbers += 1
            self._in_flight[self._numbers] = (order_id, self._epoch, self._clock())
            self.passed += 1
            return Permit(self._numbers, order_id, self._epoch)

    def _refusal(self, epoch: int, key: GateKey, permit_class: PermitClass) -> str | None:
        if key != self._key:
            return f"{key.path}#{key.incarnation} is not the gateway's current incarnation"
        if permit_class is PermitClass.FLATTEN:
            return None if self._flatten_reason is not None else "no operator flatten is in force"
        if self._tripping != self._tripped and permit_class in _ORDERS:
            return "a halt is being latched"
        if permit_class not in ALLOWED[self._state]:
            return f"trading is {self._state.name}: {', '.join(self._causes)}"
        if permit_class not in _ORDERS:
            return None
        if epoch != self._epoch:
            return f"approved in epoch {epoch}, now {self._epoch}"
        left = self._lease_until - self._clock()
        return None if left > 0 else "the guardian's lease has run out"

    def leave(self, permit: Permit) -> None:
        """See `OrderGate.leave`. A permit that was abandoned meanwhile is ignored."""
        with self._lock:
            self._in_flight.pop(permit.number, None)
            ready = self._take_drained()
        for epoch, listener in ready:
            listener(epoch)

    def trip(self, cause: Cause) -> tuple[str, ...]:
        """See `OrderGate.trip`. The same cause again changes its text and worsens its state.

        It never makes it milder: only `arm` does.
        """
        self._tripping += 1  # before the lock: every later test refuses orders at once
        with self._lock:
            latched = self._causes.get(cause.code)
            if latched is not None and latched.state.severity > cause.state.severity:
                cause = structs.replace(cause, state=latched.state)
            self._causes[cause.code] = cause
            self._state = effective_state(tuple(self._causes.values()))
            self._epoch += 1
            epoch = self._epoch
            self._tell_changed()
            in_flight = tuple(order_id for order_id, _, _ in self._in_flight.values())
            self._tripped = self._tripping
        if self._on_trip is not None:
            self._on_trip(cause, epoch)
        return in_flight

    def when_drained(self, listener: Callable[[int], None]) -> None:
        """Call `listener(epoch)` once no send begun before the current epoch is in flight.

        At once, in this thread, if that is so already; else in the thread of the last `leave`.
        """
        with self._lock:
            self._drained.append((self._epoch, listener))
            ready = self._take_drained()
        for epoch, waiting in ready:
            waiting(epoch)

    def _take_drained(self) -> list[tuple[int, Callable[[int], None]]]:
        if not self._drained:
            return []
        oldest = min((epoch for _, epoch, _ in self._in_flight.values()), default=self._epoch)
        ready = [waiting for waiting in self._drained if oldest >= waiting[0]]
        self._drained = [waiting for waiting in self._drained if oldest < waiting[0]]
        return ready

    def abandon_older_than(self, epoch: int) -> tuple[str, ...]:
        """Give up waiting for sends begun before `epoch`: their outcome is unknown from now on."""
        with self._lock:
            old = [number for number, (_, begun, _) in self._in_flight.items() if begun < epoch]
            abandoned = tuple(self._in_flight.pop(number)[0] for number in old)
            ready = self._take_drained()
        for drained_epoch, listener in ready:
            listener(drained_epoch)
        return abandoned

    def arm(self, causes: tuple[Cause, ...], evidence: str, epoch: int) -> int:
        """See `OrderGate.arm`."""
        with self._lock:
            if not evidence:
                raise GateRefused("arming needs the evidence on which it is done")
            if epoch != self._epoch or self._tripping != self._tripped:
                raise GateRefused(f"tripped since: decided in epoch {epoch}, now {self._epoch}")
            self._causes = {cause.code: cause for cause in causes}
            self._state = effective_state(causes)
            self._epoch += 1
            self._tell_changed()
            return self._epoch

    def authorise_flatten(self, reason: str) -> None:
        """An operator's durable flatten is in force: flatten permits pass in any state."""
        if not reason:
            raise GateRefused("flatten needs a reason")
        self._flatten_reason = reason

    def end_flatten(self) -> None:
        """The flatten is over: no flatten permit passes."""
        self._flatten_reason = None

    @property
    def flatten_reason(self) -> str | None:
        """Why an operator's flatten is in force; None: there is none."""
        return self._flatten_reason

    def in_flight(self) -> tuple[tuple[str, int], ...]:
        """(order id, machine time of entering) of every write that has not ended."""
        with self._lock:
            return tuple((order_id, since) for order_id, _, since in self._in_flight.values())
