import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.ports import GateKey, GateRefused, PermitClass
from hydra.runtime.gate import BOOT, UNLIMITED_LEASE, Gate
from hydra.trading.trading_state import Cause, CauseClass, TradingState, effective_state

KEY = GateKey("/hydra/core/broker_gateway", 1)
SECOND = 1_000_000_000


class Clock:
    """Machine time, set by hand."""

    def __init__(self) -> None:
        self.now = 100 * SECOND

    def __call__(self) -> int:
        return self.now


def cause(
    code: str = "feed", state: TradingState = TradingState.HALTED, detail: str = "silent"
) -> Cause:
    return Cause(code=code, cause_class=CauseClass.LIMIT, state=state, since=1, detail=detail)


def closed_gate(clock: Callable[[], int] | None = None) -> Gate:
    """As at the start of the process, with a gateway and a lease."""
    gate = Gate(clock or Clock())
    gate.register(KEY)
    gate.renew_lease(UNLIMITED_LEASE)
    return gate


def open_gate(clock: Callable[[], int] | None = None) -> Gate:
    gate = closed_gate(clock)
    gate.arm((), "a test says so", gate.epoch)
    return gate


def passes(gate: Gate, permit_class: PermitClass, **changes: Any) -> bool:
    try:
        gate.leave(
            gate.enter(
                "order-1",
                changes.get("epoch", gate.epoch),
                changes.get("key", KEY),
                permit_class,
            )
        )
    except GateRefused:
        return False
    return True


def test_it_starts_shut_with_the_start_as_its_cause_i06() -> None:
    gate = closed_gate()

    assert (gate.state, gate.standing()) == (TradingState.HALTED, (BOOT,))
    with pytest.raises(GateRefused, match="entry order-1: trading is HALTED: start"):
        gate.enter("order-1", gate.epoch, KEY, PermitClass.ENTRY)


@pytest.mark.parametrize(
    ("state", "passing"),
    [
        (TradingState.ACTIVE, {"entry", "reduce", "cancel", "read"}),
        (TradingState.CLOSE_ONLY, {"reduce", "cancel", "read"}),
        (TradingState.HALTED, {"cancel", "read"}),
    ],
)
@pytest.mark.parametrize("permit_class", PermitClass)
def test_each_state_lets_its_classes_pass_i09(
    state: TradingState, passing: set[str], permit_class: PermitClass
) -> None:
    gate = open_gate()
    if state is not TradingState.ACTIVE:
        gate.trip(cause(state=state))

    assert passes(gate, permit_class) == (permit_class.value in passing)


def test_an_approval_of_an_older_epoch_never_passes_again_i01() -> None:
    gate = open_gate()
    approved_in = gate.epoch
    gate.trip(cause())
    gate.arm((), "cleared", gate.epoch)

    with pytest.raises(GateRefused, match=f"approved in epoch {approved_in}, now {gate.epoch}"):
        gate.enter("order-1", approved_in, KEY, PermitClass.ENTRY)


@pytest.mark.parametrize("key", [GateKey(KEY.path, 2), GateKey("/root/other", 1)])
def test_only_the_registered_incarnation_of_the_gateway_passes(key: GateKey) -> None:
    gate = open_gate()

    assert not any(passes(gate, permit_class, key=key) for permit_class in PermitClass)


def test_a_restarted_gateway_shuts_out_the_incarnation_before_it_i74() -> None:
    gate = open_gate()

    gate.register(GateKey(KEY.path, 2))

    assert not passes(gate, PermitClass.ENTRY)
    assert passes(gate, PermitClass.ENTRY, key=GateKey(KEY.path, 2))


@pytest.mark.parametrize("since_s", [0, 1, 86_400])
def test_orders_need_a_lease_that_has_not_run_out_and_cancels_do_not_i08(since_s: int) -> None:
    clock = Clock()
    gate = open_gate(clock)
    gate.renew_lease(clock.now + SECOND)
    assert passes(gate, PermitClass.ENTRY)

    clock.now += (1 + since_s) * SECOND

    assert gate.lease_left() == -since_s * SECOND
    with pytest.raises(GateRefused, match="the guardian's lease has run out"):
        gate.enter("order-1", gate.epoch, KEY, PermitClass.REDUCE)
    assert passes(gate, PermitClass.CANCEL)
    assert passes(gate, PermitClass.READ)


def test_a_revoked_lease_lets_no_order_pass_until_it_is_renewed_i08() -> None:
    gate = open_gate()

    gate.revoke_lease()
    refused = not passes(gate, PermitClass.ENTRY)
    gate.renew_lease(UNLIMITED_LEASE)

    assert refused
    assert passes(gate, PermitClass.ENTRY)


def test_a_trip_gives_the_orders_still_in_flight() -> None:
    gate = open_gate()
    gate.enter("order-1", gate.epoch, KEY, PermitClass.ENTRY)
    permit = gate.enter("order-2", gate.epoch, KEY, PermitClass.ENTRY)
    gate.leave(permit)

    assert gate.trip(cause()) == ("order-1",)
    assert [order_id for order_id, _ in gate.in_flight()] == ["order-1"]


def test_the_same_cause_again_changes_its_text() -> None:
    gate = open_gate()
    gate.trip(cause(detail="silent for 15 s"))

    gate.trip(cause(detail="silent for 30 s"))

    assert [standing.detail for standing in gate.standing()] == ["silent for 30 s"]


def test_the_same_cause_again_never_makes_the_state_milder_i05() -> None:
    gate = open_gate()
    gate.trip(cause(state=TradingState.HALTED))

    gate.trip(cause(state=TradingState.CLOSE_ONLY))

    assert gate.state is TradingState.HALTED
    assert gate.standing() == (cause(state=TradingState.HALTED),)


def test_a_trip_tells_its_listener_the_cause_and_the_new_epoch() -> None:
    gate = open_gate()
    heard: list[tuple[Cause, int]] = []
    gate.on_trip(lambda what, epoch: heard.append((what, epoch)))
    before = gate.epoch

    gate.trip(cause())

    assert heard == [(cause(), before + 1)]


def test_arming_needs_evidence_i04() -> None:
    gate = closed_gate()

    with pytest.raises(GateRefused, match="arming needs the evidence"):
        gate.arm((), "", gate.epoch)
    assert gate.state is TradingState.HALTED


def test_arming_is_refused_if_something_tripped_since_it_was_decided_i05() -> None:
    gate = closed_gate()
    decided_in = gate.epoch
    gate.trip(cause("late"))

    with pytest.raises(GateRefused, match="tripped since"):
        gate.arm((), "preflight passed", decided_in)
    assert {standing.code for standing in gate.standing()} == {"start", "late"}


def test_arming_opens_only_as_far_as_the_causes_that_stay_allow_i05() -> None:
    gate = closed_gate()
    left = cause("loss", TradingState.CLOSE_ONLY)

    epoch = gate.arm((left,), "preflight passed", gate.epoch)

    assert (gate.state, gate.standing(), gate.epoch) == (TradingState.CLOSE_ONLY, (left,), epoch)


def test_a_halt_is_acknowledged_when_the_last_send_begun_before_it_has_ended_i01() -> None:
    gate = open_gate()
    permits = [gate.enter(f"o{n}", gate.epoch, KEY, PermitClass.ENTRY) for n in range(2)]
    acknowledged: list[int] = []
    gate.trip(cause())
    gate.when_drained(acknowledged.append)
    cancel = gate.enter("o3", gate.epoch, KEY, PermitClass.CANCEL)  # begun after it: not waited for

    gate.leave(permits[0])
    half_way = list(acknowledged)
    gate.leave(permits[1])

    assert half_way == []
    assert acknowledged == [gate.epoch]
    gate.leave(cancel)
    assert acknowledged == [gate.epoch]


def test_a_halt_with_nothing_in_flight_is_acknowledged_at_once() -> None:
    gate = open_gate()
    acknowledged: list[int] = []
    gate.trip(cause())

    gate.when_drained(acknowledged.append)

    assert acknowledged == [gate.epoch]


def test_a_send_that_is_given_up_on_acknowledges_the_halt_and_is_named_i01() -> None:
    gate = open_gate()
    permit = gate.enter("order-1", gate.epoch, KEY, PermitClass.ENTRY)
    acknowledged: list[int] = []
    gate.trip(cause())
    gate.when_drained(acknowledged.append)

    assert gate.abandon_older_than(gate.epoch) == ("order-1",)

    assert acknowledged == [gate.epoch]
    gate.leave(permit)  # it comes back after all: nobody waits for it any more
    assert gate.in_flight() == ()


def test_what_began_in_this_epoch_is_not_given_up_on() -> None:
    gate = open_gate()
    gate.enter("order-1", gate.epoch, KEY, PermitClass.ENTRY)

    assert gate.abandon_older_than(gate.epoch) == ()


@pytest.mark.parametrize("state", TradingState)
def test_flatten_passes_in_any_state_while_an_operators_flatten_is_in_force_i01(
    state: TradingState,
) -> None:
    gate = open_gate()
    gate.trip(cause(state=state))
    gate.revoke_lease()

    before = passes(gate, PermitClass.FLATTEN)
    gate.authorise_flatten("end of the day")
    during = passes(gate, PermitClass.FLATTEN)
    gate.end_flatten()

    assert (before, during, passes(gate, PermitClass.FLATTEN)) == (False, True, False)


def test_flatten_needs_a_reason() -> None:
    gate = open_gate()

    with pytest.raises(GateRefused, match="flatten needs a reason"):
        gate.authorise_flatten("")
    assert gate.flatten_reason is None


def test_what_passed_and_what_was_refused_is_counted() -> None:
    gate = open_gate()

    passes(gate, PermitClass.ENTRY)
    gate.trip(cause())
    passes(gate, PermitClass.ENTRY)

    assert (gate.passed, gate.refused) == (1, 1)


causes = st.builds(cause, code=st.sampled_from("abc"), state=st.sampled_from(TradingState))


@given(
    steps=st.lists(
        st.one_of(
            causes,
            st.lists(causes, max_size=3, unique_by=lambda c: c.code).map(tuple),
            st.integers(0, 2),
        ),
        max_size=20,
    )
)
def test_the_state_is_always_the_worst_of_the_causes_and_gets_better_by_arming_alone_i04_i05_i07(
    steps: list[Cause | tuple[Cause, ...] | int],
) -> None:
    gate = closed_gate()
    for step in steps:
        state, epoch = gate.state, gate.epoch
        match step:
            case Cause():
                gate.trip(step)
                assert gate.state.severity >= max(state.severity, step.state.severity)
                assert gate.epoch == epoch + 1
            case tuple():
                gate.arm(step, "a test says so", epoch)
                assert gate.epoch == epoch + 1
            case _:
                gate.renew_lease(step)
                assert (gate.state, gate.epoch) == (state, epoch)
        assert gate.state is effective_state(gate.standing())


def test_orders_are_refused_from_the_moment_a_trip_begins_before_it_has_its_turn_i01() -> None:
    gate = open_gate()

    with gate._lock:  # somebody is in the gate
        tripping = threading.Thread(target=gate.trip, args=(cause(),))
        tripping.start()
        while gate._tripping == gate._tripped:
            pass
        refusals = {kind: gate._refusal(gate.epoch, KEY, kind) for kind in PermitClass}
    tripping.join()

    assert refusals[PermitClass.ENTRY] == refusals[PermitClass.REDUCE] == "a halt is being latched"
    assert refusals[PermitClass.CANCEL] is refusals[PermitClass.READ] is None


def test_nothing_enters_after_a_trip_has_returned_i01() -> None:
    gate = open_gate()
    entered_after: list[int] = []
    tripped, stop = threading.Event(), threading.Event()

    def send() -> None:
        while not stop.is_set():
            after = tripped.is_set()
            if passes(gate, PermitClass.ENTRY) and after:
                entered_after.append(1)

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    while gate.passed < 100:
        pass
    gate.trip(cause())
    tripped.set()
    refused = gate.refused
    while gate.refused < refused + 100:
        pass
    stop.set()
    for thread in threads:
        thread.join()

    assert entered_after == []
