"""One attempt, one request, whatever befalls it on its way (I20); and one order at most (I15).

The faults are the local venue's own. What is counted is what came to it by its log, on which each
request is as it arrives, before any fault strikes it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from hydra.ports import GateRefused
from hydra.trading.durations import MINUTE
from hydra.trading.order_life import OrderStatus
from hydra.venues.simulated.brokerage.requests import CancelOrder
from messages.orders import OrderAccepted, OrderUnknown, OrderWithheld
from messages.reconciliation import OrderFound, OrderNotFound, SnapshotFailed
from tests.contracts.venues.face import FaceTerms, cause
from tests.contracts.venues.faults import LONG_S, ON_EITHER_SIDE, Befalls, every_fault
from tests.contracts.venues.rest import RestFace
from tests.contracts.venues.scene import BUY, ENTRY, EXIT, SELL, order, pause_before
from tests.contracts.venues.storms import drawn

EVERY_FAULT = every_fault()
PLENTY = 1_000
NEVER = 1_000_000


@contextmanager
def rest_face(call_within_s: float = 10.0) -> Iterator[RestFace]:
    """In the pause before the second bar."""
    face = RestFace(FaceTerms(), call_within_s=call_within_s)
    try:
        face.go_to(pause_before(1))
        yield face
    finally:
        face.close()


def arm(face: RestFace, fault: dict[str, Any], **rule: Any) -> None:
    """From now on this befalls every order, or what the rule says."""
    matched = {"method": "POST", "path": "/v2/orders", "times": None, **rule}
    face.served.admin("POST", "/rules/requests", {"fault": fault, **matched})


def disarm(face: RestFace) -> None:
    """From now on all is well."""
    face.served.admin("DELETE", "/rules")


@pytest.mark.parametrize("befalls", EVERY_FAULT.values(), ids=EVERY_FAULT)
def test_an_attempt_is_one_request_and_is_unknown_until_it_was_looked_up_i15_i18_i19_i20(
    befalls: Befalls,
) -> None:
    with rest_face(LONG_S if befalls.late else 10.0) as face:
        arm(face, befalls.fault)
        sent = order("it", BUY, "10", limit="90")

        name = face.submit(sent)
        face.until(lambda: bool(face.of(OrderUnknown)), "that nothing is proven")

        assert len(face.arrivals("POST")) == 1
        disarm(face)
        assert face.order_requests() == ((name,) if befalls.lands else ())
        face.settle()
        assert sorted(face.story(name)) == (
            ["accepted", "unknown"] if befalls.lands else ["unknown"]
        )
        face.pass_machine_time(MINUTE)  # a 429 holds back all but what is urgent
        look = face.look_up(name)
        if befalls.lands:
            assert isinstance(look, OrderFound)
            assert (look.found.order, look.found.status) == (sent, OrderStatus.ACCEPTED)
            assert [each.name for each in face.books().orders] == [name]
        else:
            assert look == OrderNotFound(client_order_id=name)
            assert face.books().orders == ()


def test_an_order_that_was_accepted_and_answered_504_is_one_order_and_is_found_i18_i19_i20() -> (
    None
):
    with rest_face() as face:
        arm(face, {"type": "answer", "status": 504, "landed": True}, times=1)

        name = face.take(order("it", BUY, "10"))
        face.go_to(pause_before(2))
        face.until(lambda: bool(face.fills(name)), "the fill, on the stream")

        assert len(face.of(OrderUnknown)) == 1
        assert face.order_requests() == (name,)
        look = face.look_up(name)
        assert isinstance(look, OrderFound)
        assert look.found.status is OrderStatus.FILLED
        assert list(look.fills) == face.fills(name)
        assert [each.name for each in face.books().orders] == [name]


@pytest.mark.parametrize("lands", [True, False])
def test_a_send_that_is_cut_is_unknown_at_once_and_is_not_made_again_i01_i20(lands: bool) -> None:
    with rest_face() as face:
        arm(face, {"type": "hang", "landed": lands})
        name = face.submit(order("it", BUY, "10", limit="90"))
        face.until(lambda: len(face.arrivals("POST")) == 1, "the request")

        face.venue.cut((name,))
        face.until(lambda: bool(face.of(OrderUnknown)), "that nothing is proven")

        assert len(face.arrivals("POST")) == 1
        assert face.order_requests() == ((name,) if lands else ())


def test_an_order_that_lands_after_it_was_given_up_is_one_order_i19_i20() -> None:
    with rest_face(LONG_S) as face:
        arm(face, {"type": "delay", "seconds": 2 * LONG_S, "landed": False})

        name = face.submit(order("it", BUY, "10", limit="90"))
        face.until(lambda: bool(face.of(OrderUnknown)), "that nothing is proven")
        before = face.look_up(name), face.order_requests()
        face.until(lambda: bool(face.of(OrderAccepted)), "that it came after all")

        assert before == (OrderNotFound(client_order_id=name), ())
        assert len(face.arrivals("POST")) == 1
        assert face.order_requests() == (name,)


@pytest.mark.parametrize(
    "name",
    [
        f"{each}, {side}"
        for each in ("504", "reset", "an empty 200")
        for side in ("landed", "not landed")
    ],
)
def test_a_replacement_is_asked_for_once_and_unknown_then_i20(name: str) -> None:
    befalls = EVERY_FAULT[name]
    with rest_face() as face:
        old = face.take(order("old", BUY, "10", limit="90"))
        arm(face, befalls.fault, method="PATCH", path="/v2/orders/*")

        new = face.submit(order("new", BUY, "10", limit="91", replaces="old"))
        face.until(lambda: bool(face.of(OrderUnknown)), "that nothing is proven")

        assert len(face.arrivals("PATCH")) == 1
        assert face.order_requests() == ((old, new) if befalls.lands else (old,))
        assert [each.name for each in face.books().orders if each.is_open] == [
            new if befalls.lands else old
        ]


@pytest.mark.parametrize("lands", [True, False])
@pytest.mark.parametrize("name", ON_EITHER_SIDE)
def test_a_cancel_is_asked_for_once_and_then_the_order_says_what_became_of_it_i20_i25(
    name: str, lands: bool
) -> None:
    with rest_face() as face:
        open_order = face.take(order("open", BUY, "10", limit="90"))
        arm(face, ON_EITHER_SIDE[name] | {"landed": lands}, method="DELETE", path="/v2/orders/*")

        face.cancel(open_order)
        if lands:
            face.until(lambda: "canceled" in face.story(open_order), "the end, on the stream")
        face.until(lambda: bool(face.looks(open_order)), "a look")
        face.until(lambda: bool(face.arrivals("DELETE")), "the request")
        face.settle()

        assert len(face.arrivals("DELETE")) == 1
        cancels = [each for each in face.requests() if isinstance(each, CancelOrder)]
        assert len(cancels) == lands
        assert [each.is_open for each in face.books().orders] == [not lands]


def test_a_read_that_fails_is_a_snapshot_that_failed_and_is_not_made_again_i20_i62() -> None:
    with rest_face() as face:
        arm(
            face,
            {"type": "answer", "status": 503},
            method="GET",
            path="/v2/positions",
            times=PLENTY,
        )

        answer = face.try_snapshot()

        assert isinstance(answer, SnapshotFailed)
        (rule,) = face.served.admin("GET", "/rules")
        assert PLENTY - rule["strikes_left"] == 1


ORDERS = 40


@pytest.mark.parametrize(
    "seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 13))]
)
def test_over_a_stormy_session_requests_are_attempts_that_passed_the_gate_i01_i15_i20(
    seed: int,
) -> None:
    draw = random.Random(seed)
    with rest_face(LONG_S) as face:
        held = face.take(order("held", BUY, "500", limit="200"))
        face.go_to(pause_before(2))
        face.until(lambda: bool(face.fills(held)), "something to sell")
        for _ in range(ORDERS):
            arm(face, drawn(draw), times=1)

        names = [act(face, draw, number) for number in range(ORDERS)]
        refused = {name for name, went in names if not went}
        face.until(lambda: len(face.answered - {held}) == ORDERS - len(refused), "every answer")
        withheld = {each.client_order_id for each in face.of(OrderWithheld)}

        attempts = {held, *(name for name, _ in names)} - refused - withheld
        assert len(face.arrivals("POST")) == len(attempts)
        disarm(face)
        face.until(lambda: is_quiet(face), "what was held back on the way")
        landed = face.order_requests()
        assert len(set(landed)) == len(landed)
        assert set(landed) <= attempts
        standing = [each.name for each in face.books().orders]
        assert len(set(standing)) == len(standing)
        assert set(standing) <= set(landed)
        face.gate.before_passing = lambda _: None
        for name, _ in names:
            assert isinstance(face.look_up(name), OrderFound) == (name in standing)


def act(face: RestFace, draw: random.Random, number: int) -> tuple[str, bool]:
    """Send an order; now and then the gate shuts at some instant of its way, and opens again.

    Gives its name, and whether the adapter took it.
    """
    side, role = (SELL, EXIT) if draw.random() < 0.3 else (BUY, ENTRY)
    sent = order(f"number-{number}", side, "1", limit="90" if side is BUY else "150")
    name = sent.client_order_id
    shuts_at = face.gate.tries + draw.choice([0, 1, *[NEVER] * 4])

    def shut(passage: int) -> None:
        if passage == shuts_at:
            face.gate.trip(cause())

    face.gate.before_passing = shut
    try:
        face.submit(sent, role)
        is_taken = True
    except GateRefused:
        is_taken = False
    if is_taken and draw.random() < 0.5:
        face.until(lambda: name in face.answered, "its answer")
    if face.gate.standing():
        face.gate.arm((), "a test", face.gate.epoch)
    return name, is_taken


def is_quiet(face: RestFace) -> bool:
    """Nothing more comes to the venue."""
    before = face.order_requests()
    face.settle()
    return face.order_requests() == before
