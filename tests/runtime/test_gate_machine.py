"""The order gate under whatever is done to it, in any order, beside a model of a few lines."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
)

from hydra.ports import GateKey, GateRefused, Permit, PermitClass
from hydra.runtime.gate import BOOT, Gate
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state

FORBIDDEN = {
    TradingState.ACTIVE: frozenset[PermitClass](),
    TradingState.CLOSE_ONLY: frozenset({PermitClass.ENTRY}),
    TradingState.HALTED: frozenset({PermitClass.ENTRY, PermitClass.REDUCE}),
}
ORDERS = (PermitClass.ENTRY, PermitClass.REDUCE)

causes = st.builds(
    Cause,
    code=st.sampled_from(("feed", "loss", "kill")),
    cause_class=st.just(CauseClass.LIMIT),
    state=st.sampled_from(TradingState),
    since=st.just(0),
    detail=st.just("drawn"),
)
KEY, OTHER_KEY = GateKey("/gateway", 1), GateKey("/gateway", 2)
keys = st.sampled_from((KEY, KEY, KEY, OTHER_KEY))
ages = st.sampled_from((0, 0, 0, 1, 2))


class GateMachine(RuleBasedStateMachine):
    """What has passed is compared with what the standing causes forbid."""

    permits: Bundle[Permit] = Bundle("permits")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.gate = Gate(lambda: self.now)
        self.told: list[tuple[Cause, int, TradingState]] = []
        self.gate.on_trip(lambda cause, epoch: self.told.append((cause, epoch, self.gate.state)))
        self.trips = 0
        self.key = KEY
        self.gate.register(KEY)
        self.lease_until = 10
        self.gate.renew_lease(10)
        self.flatten = False
        self.in_flight: dict[int, tuple[str, int]] = {}
        self.waiting: list[int] = []
        self.acknowledged: list[int] = []
        self.due: list[int] = []

    def acknowledge(self) -> None:
        """Those who wait for sends of before an epoch that have all ended by now."""
        oldest = min((epoch for _, epoch in self.in_flight.values()), default=self.gate.epoch)
        self.due += [epoch for epoch in self.waiting if epoch <= oldest]
        self.waiting = [epoch for epoch in self.waiting if epoch > oldest]

    @rule(cause=causes)
    def trip(self, cause: Cause) -> None:
        before, state = self.gate.epoch, self.gate.state

        in_flight = self.gate.trip(cause)

        self.trips += 1
        assert in_flight == tuple(order_id for order_id, _ in self.in_flight.values())
        assert self.gate.epoch == before + 1
        assert self.gate.state.severity >= max(state.severity, cause.state.severity)
        told, epoch, seen = self.told[-1]
        assert (told.code, epoch, seen) == (cause.code, before + 1, self.gate.state)
        self.acknowledge()

    @rule(standing=st.lists(causes, max_size=1, unique_by=lambda cause: cause.code).map(tuple))
    def arm(self, standing: tuple[Cause, ...]) -> None:
        before = self.gate.epoch

        assert self.gate.arm(standing, "drawn", before) == before + 1

        assert self.gate.standing() == standing
        self.acknowledge()

    @rule(age=st.integers(0, 3), evidence=st.sampled_from(("", "drawn")))
    def arm_in_vain(self, age: int, evidence: str) -> None:
        before = (self.gate.epoch, self.gate.standing(), self.gate.state)
        if evidence and not age:
            return

        try:
            self.gate.arm((), evidence, self.gate.epoch - age)
        except GateRefused:
            pass
        else:
            raise AssertionError("armed without evidence, or on what was known before a trip")

        assert (self.gate.epoch, self.gate.standing(), self.gate.state) == before

    @rule(target=permits, kind=st.sampled_from(PermitClass), key=keys, age=ages)
    def enter(self, kind: PermitClass, key: GateKey, age: int) -> Permit | MultipleResults[Permit]:
        state = effective_state(self.gate.standing())
        epoch = self.gate.epoch - age
        allowed = key == self.key
        if kind is PermitClass.FLATTEN:
            allowed = allowed and self.flatten
        if kind in ORDERS:
            allowed = allowed and kind not in FORBIDDEN[state]
            allowed = allowed and age == 0 and self.now < self.lease_until
        counts = (self.gate.passed, self.gate.refused)

        try:
            permit = self.gate.enter(f"order-{counts}", epoch, key, kind)
        except GateRefused:
            assert not allowed
            assert (self.gate.passed, self.gate.refused) == (counts[0], counts[1] + 1)
            return multiple()

        assert allowed
        assert (self.gate.passed, self.gate.refused) == (counts[0] + 1, counts[1])
        self.in_flight[permit.number] = (permit.order_id, self.gate.epoch)
        return permit

    @rule(permit=permits)
    def leave(self, permit: Permit) -> None:
        """Also for the second time, and when it has been given up on."""
        self.gate.leave(permit)

        self.in_flight.pop(permit.number, None)
        self.acknowledge()

    @rule()
    def when_drained(self) -> None:
        self.waiting.append(self.gate.epoch)
        self.gate.when_drained(self.acknowledged.append)
        self.acknowledge()

    @rule(age=st.integers(0, 2))
    def abandon(self, age: int) -> None:
        before = self.gate.epoch - age
        old = {n: order for n, order in self.in_flight.items() if order[1] < before}

        assert self.gate.abandon_older_than(before) == tuple(order for order, _ in old.values())

        self.in_flight = {n: order for n, order in self.in_flight.items() if n not in old}
        self.acknowledge()

    @rule(key=keys)
    def register(self, key: GateKey) -> None:
        self.gate.register(key)
        self.key = key

    @rule(length=st.integers(0, 5))
    def renew(self, length: int) -> None:
        self.lease_until = self.now + length
        self.gate.renew_lease(self.lease_until)

    @rule()
    def revoke(self) -> None:
        self.lease_until = -1
        self.gate.revoke_lease()

    @rule(duration=st.integers(1, 5))
    def time_passes(self, duration: int) -> None:
        self.now += duration

    @rule()
    def the_lease_runs_out(self) -> None:
        """To the nanosecond."""
        self.now = max(self.now, self.lease_until)

    @rule(on=st.booleans())
    def flatten_is_in_force(self, on: bool) -> None:
        self.flatten = on
        if on:
            self.gate.authorise_flatten("drawn")
        else:
            self.gate.end_flatten()

    @invariant()
    def the_state_is_the_worst_cause(self) -> None:
        assert self.gate.state is effective_state(self.gate.standing())

    @invariant()
    def the_start_stands_until_somebody_arms(self) -> None:
        if self.gate.epoch == 1 + self.trips:
            assert BOOT in self.gate.standing()

    @invariant()
    def what_is_in_flight_is_what_has_not_left(self) -> None:
        shown = [order_id for order_id, _ in self.gate.in_flight()]
        assert shown == [order_id for order_id, _ in self.in_flight.values()]

    @invariant()
    def a_halt_is_acknowledged_when_the_sends_before_it_have_ended_and_not_earlier(self) -> None:
        assert sorted(self.acknowledged) == sorted(self.due)

    @invariant()
    def every_trip_was_told_once(self) -> None:
        assert len(self.told) == self.trips


GateMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestTheGate = GateMachine.TestCase
