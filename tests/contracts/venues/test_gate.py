"""Nothing leaves but through the order gate, at the last instant; what it stops was never sent."""

from __future__ import annotations

import pytest

from hydra.ports import GateKey, GateRefused, PermitClass
from hydra.trading.orders import Role
from hydra.trading.trading_state import TradingState
from messages.orders import OrderWithheld
from messages.reconciliation import OrderFound
from tests.contracts.venues.face import KEY, Face, cause
from tests.contracts.venues.scene import BUY, ENTRY, EXIT, SELL, order, pause_before

FLATTEN = Role.FLATTEN


def tried(face: Face, role: Role = ENTRY, epoch: int | None = None, key: GateKey = KEY) -> bool:
    """Whether an order went out. If not, that is said, by raising or by telling."""
    side = BUY if role is ENTRY else SELL
    sent = order("tried", side, "10", limit="90" if side is BUY else "110")
    before = face.order_requests()
    try:
        name = face.submit(sent, role, epoch, key)
    except GateRefused:
        face.settle()
        assert face.outcomes(sent.client_order_id) == []
        assert face.order_requests() == before
        return False
    face.until(lambda: bool(face.outcomes(name)), "a word on it")
    face.settle()
    if face.story(name) == ["withheld"]:
        assert face.order_requests() == before
        return False
    assert face.order_requests() == (*before, name)
    return True


def with_shares(face: Face) -> Face:
    """Ten shares are held."""
    name = face.take(order("held", BUY, "10"))
    face.go_to(pause_before(2))
    face.until(lambda: bool(face.fills(name)), "the shares")
    return face


@pytest.mark.parametrize(
    ("state", "passing"),
    [
        (TradingState.ACTIVE, {ENTRY, EXIT}),
        (TradingState.CLOSE_ONLY, {EXIT}),
        (TradingState.HALTED, set()),
    ],
)
@pytest.mark.parametrize("role", [ENTRY, EXIT, FLATTEN])
def test_an_order_goes_out_only_in_a_state_that_lets_its_like_pass_i01_i09(
    face: Face, state: TradingState, passing: set[Role], role: Role
) -> None:
    with_shares(face)
    if state is not TradingState.ACTIVE:
        face.gate.trip(cause(state))

    assert tried(face, role) == (role in passing)


@pytest.mark.parametrize("state", list(TradingState))
def test_an_operators_flatten_goes_out_in_every_state(face: Face, state: TradingState) -> None:
    with_shares(face)
    face.gate.trip(cause(state))
    face.gate.authorise_flatten("enough")

    assert tried(face, FLATTEN)
    assert face.gate.classes[-1] == ("hy1-tried", PermitClass.FLATTEN)


def test_an_approval_from_before_a_halt_never_goes_out_i01(face: Face) -> None:
    approved_in = face.gate.epoch
    face.gate.trip(cause())
    face.gate.arm((), "looked into", face.gate.epoch)

    assert not tried(face, epoch=approved_in)
    assert tried(face)


def test_only_the_newest_gateway_sends(face: Face) -> None:
    face.gate.register(GateKey("/gateway", 2))

    assert not tried(face, key=KEY)
    assert tried(face, key=GateKey("/gateway", 2))


def test_without_the_guardians_lease_nothing_goes_out_i08(face: Face) -> None:
    face.gate.revoke_lease()

    assert not tried(face)


@pytest.mark.parametrize("passage", [0, 1, 2])
def test_whenever_the_gate_shuts_what_went_out_passed_it_and_what_did_not_is_said_i01(
    face: Face, passage: int
) -> None:
    def shut(number: int) -> None:
        if number == passage:
            face.gate.trip(cause())

    face.gate.before_passing = shut

    went_out = tried(face)

    assert went_out is (passage >= face.gate.tries)
    if not went_out:
        assert face.books().orders == ()


def test_cancels_and_looks_pass_a_gate_that_is_shut_i01(face: Face) -> None:
    name = face.take(order("open", BUY, "10", limit="90"))
    face.gate.trip(cause())

    assert isinstance(face.look_up(name), OrderFound)
    assert len(face.snapshot().orders) == 1
    face.cancel(name)

    face.until_story(name, "accepted", "canceled")
    assert face.of(OrderWithheld) == []


def test_every_permit_is_given_back(face: Face) -> None:
    name = face.take(order("open", BUY, "10", limit="90"))
    face.take(order("refused", SELL, "10", limit="110"), EXIT)
    face.look_up(name)
    face.snapshot()
    face.cancel(name)
    face.until_story(name, "accepted", "canceled")

    assert face.gate.in_flight() == ()
    assert {each for _, each in face.gate.classes} == {
        PermitClass.ENTRY,
        PermitClass.REDUCE,
        PermitClass.CANCEL,
        PermitClass.READ,
    }
