"""The adapter: one attempt, one request, through the gate; what came of it is told, and is true."""

import socket
import threading
import time
from decimal import Decimal

import pytest
from msgspec import structs

from hydra.ports import PERMIT_CLASSES, GateKey, GateRefused, PermitClass, Venue
from hydra.trading.durations import SECOND
from hydra.trading.orders import Order, Role, Side
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.trading.venue_view import VenuePosition
from hydra.venues.alpaca.known_orders import KnownOrders
from hydra.venues.alpaca.payloads import OrderPayload
from hydra.venues.alpaca.times import nanoseconds
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderRejected,
    OrderUnknown,
    OrderWithheld,
)
from messages.reconciliation import (
    OrderFound,
    OrderNotFound,
    ReconcileNow,
    SnapshotFailed,
    SnapshotTaken,
    VenueWord,
)
from tests.venues.alpaca.fake_alpaca import Answer, Bytes, Received, Reply, Reset, Silence
from tests.venues.alpaca.samples import (
    ID,
    NAME,
    SUBMITTED,
    account_json,
    approved,
    fill_json,
    market_order,
    order,
    order_json,
    position_json,
)
from tests.venues.alpaca.venue_world import KEY, NOW, VenueWorld, venue_world
from tests.waiting import Timed, eventually

ORDERS = "/v2/orders"
BY_NAME = "/v2/orders:by_client_order_id"
HALT = Cause(
    code="test",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=0,
    detail="a test",
)
CLOSE_ONLY = structs.replace(HALT, state=TradingState.CLOSE_ONLY)
ACCEPTED = OrderAccepted(
    client_order_id=NAME, venue_order_id=ID, at=nanoseconds(SUBMITTED), echo=order()
)


def submit(world: VenueWorld, sent: Order | None = None, role: Role = Role.ENTRY) -> None:
    world.venue.submit(approved(sent or order(), role=role, epoch=world.epoch), KEY)


def error(status: int, code: int | None, message: str) -> Reply:
    return Reply(status, {"message": message} | ({} if code is None else {"code": code}))


def test_it_is_a_venue_whose_stream_is_kept_by_another() -> None:
    with venue_world() as world:
        venue: Venue = world.venue

        assert not venue.has_stream
        venue.report_stream()
        assert world.told(0) == []


def test_an_order_is_one_request_and_its_acceptance_has_the_brokers_echo_i27() -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, Reply(200, order_json()))
        submit(world)

        assert world.told(1) == [ACCEPTED]
        (received,) = world.broker.received
        assert received.json["client_order_id"] == NAME
        assert world.gate.in_flight() == ()


def test_an_echo_that_was_altered_is_told_as_the_broker_has_it_i27() -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, Reply(200, order_json(qty="13", client_order_id="else")))
        submit(world)

        (accepted,) = world.told(1)
        assert isinstance(accepted, OrderAccepted)
        assert accepted.client_order_id == NAME
        assert accepted.echo == order(quantity=Decimal(13), client_order_id="else")


def unknown(world: VenueWorld) -> OrderUnknown:
    (told,) = world.told(1)
    assert isinstance(told, OrderUnknown)
    assert (told.client_order_id, told.at) == (NAME, NOW)
    return told


UNPROVEN: dict[str, Answer] = {
    "429": Reply(429, {"code": 42910000, "message": "rate limit exceeded"}),
    "429 bare": Reply(429),
    "500": Reply(500, {"code": 50010000, "message": "internal"}),
    "502": Reply(502, b"<html>"),
    "503": Reply(503),
    "504": Reply(504, {"code": 50410000, "message": "timeout"}),
    "302": Reply(302, b"", {"Location": "/v2/orders"}),
    "409": Reply(409, {"code": 40910000, "message": "conflict"}),
    "empty 200": Reply(200),
    "HTML 200": Reply(200, b"<html>"),
    "HTML 403": Reply(403, b"<html>"),
    "half an order": Reply(200, {"id": ID, "qty": []}),
    "an order without words": Reply(200, order_json(type="pegged")),
    "reset": Reset(),
    "closed": Bytes(b""),
    "noise": Bytes(b"\x00\xff\r\n\r\n"),
    "silence": Silence(),
}


@pytest.mark.parametrize("how", UNPROVEN)
@pytest.mark.parametrize("role", [Role.ENTRY, Role.EXIT])
def test_what_proves_nothing_leaves_the_order_unknown_after_one_request_i17_i19_i20_i21(
    how: str, role: Role
) -> None:
    with venue_world(call_within_s=0.3) as world:
        world.on("POST", ORDERS, UNPROVEN[how])
        with Timed() as timed:
            submit(world, role=role)
            told = unknown(world)

        assert told.reason
        assert timed.took_s < 2.0
        assert world.broker.asked == ["POST /v2/orders"]
        assert world.gate.in_flight() == ()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (error(403, 40310000, "insufficient buying power"), "403/40310000: insufficient buying"),
        (error(422, 42210000, "asset ZZZZZ not found"), "422/42210000: asset ZZZZZ not found"),
        (error(403, None, "forbidden."), "403: forbidden."),
        (error(400, 40010000, "request body format is invalid"), "400/40010000: request body"),
    ],
)
def test_a_refusal_is_a_rejection_with_the_brokers_reason(answer: Reply, reason: str) -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, answer)
        submit(world)

        (rejected,) = world.told(1)
        assert isinstance(rejected, OrderRejected)
        assert rejected.reason.startswith(reason)
        assert world.broker.asked == ["POST /v2/orders"]


def test_a_name_that_may_be_taken_is_no_rejection_whatever_the_words_i18() -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, error(422, 40010001, "anything at all"))
        submit(world)

        assert unknown(world).reason == "maybe it exists already: 422/40010001: anything at all"


def test_an_order_that_the_broker_refused_at_once_in_its_answer_is_rejected() -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, Reply(200, order_json(status="rejected")))
        submit(world)

        assert [type(message) for message in world.told(1)] == [OrderRejected]


def test_an_order_that_has_ended_untraded_in_its_answer_has_ended() -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, Reply(200, order_json(status="canceled")))
        submit(world)

        assert world.told(2) == [
            ACCEPTED,
            OrderCanceled(client_order_id=NAME, at=nanoseconds(SUBMITTED)),
        ]


@pytest.mark.parametrize("status", ["rejected", "canceled"])
def test_an_answer_that_names_another_order_ends_neither_i19_i27(status: str) -> None:
    with venue_world() as world:
        other = order_json(client_order_id="hy1-another", status=status)
        world.on("POST", ORDERS, Reply(200, other))
        submit(world)

        (told,) = world.told(1)

    assert isinstance(told, OrderAccepted) and told.client_order_id == NAME
    assert told.echo is not None and told.echo.client_order_id == "hy1-another"  # which halts


def test_another_order_than_the_one_looked_up_is_not_it_i19() -> None:
    with venue_world() as world:
        other = order_json(client_order_id="hy1-another")
        world.on("GET", "/v2/orders:by_client_order_id", Reply(200, other))
        world.venue.look_up(NAME, KEY)

        assert world.told(1) == [
            OrderNotFound(client_order_id=NAME, reason=f"asked for {NAME}, got hy1-another")
        ]


@pytest.mark.parametrize("status", ["filled", "canceled", "partially_filled"])
def test_what_has_traded_in_the_answer_is_left_to_those_who_know_the_executions(
    status: str,
) -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, Reply(200, order_json(status=status, filled_qty="5")))
        submit(world)

        assert [type(message) for message in world.told(1)] == [OrderAccepted]


@pytest.mark.parametrize("role", list(Role))
def test_each_role_passes_the_gate_as_what_it_is(role: Role) -> None:
    with venue_world() as world:
        world.gate.authorise_flatten("a test")
        world.on("POST", ORDERS, Reply(200, order_json()))
        submit(world, role=role)
        world.told(1)

        assert set(world.gate.classes) == {(NAME, PERMIT_CLASSES[role])}


@pytest.mark.parametrize(
    ("cause", "role"), [(HALT, Role.ENTRY), (HALT, Role.EXIT), (CLOSE_ONLY, Role.ENTRY)]
)
def test_a_shut_gate_refuses_at_once_and_nothing_leaves_i01_i09(cause: Cause, role: Role) -> None:
    with venue_world(cause) as world:
        with pytest.raises(GateRefused, match="trading is"):
            submit(world, role=role)

        assert world.told(0) == []
        assert world.broker.received == []


def test_a_gate_that_shuts_at_the_last_instant_withholds_the_order_i01() -> None:
    with venue_world() as world:
        looks = iter([None, lambda: world.gate.trip(HALT)])

        def shut_at_the_second_look(_: PermitClass) -> None:
            if (act := next(looks)) is not None:
                act()

        world.gate.before_passing = shut_at_the_second_look
        submit(world)

        (withheld,) = world.told(1)
        assert isinstance(withheld, OrderWithheld)
        assert withheld.reason == f"entry {NAME}: trading is HALTED: test"
        assert world.broker.received == []


def test_no_order_of_many_leaves_after_the_halt_i01() -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, Reply(200, order_json()))
        for number in range(90):
            submit(world, order(client_order_id=f"hy1-{number}"))
        in_flight = world.gate.trip(HALT)
        assert eventually(lambda: world.gate.is_drained)
        arrived = len(world.broker.received)
        told = world.told(90)

        withheld = sum(isinstance(message, OrderWithheld) for message in told)
        assert withheld > 0
        assert len(in_flight) <= 2
        assert len(world.broker.received) == arrived == 90 - withheld


def test_another_incarnation_of_the_gateway_sends_nothing() -> None:
    with venue_world() as world:
        with pytest.raises(GateRefused, match="is not the gateway's current incarnation"):
            world.venue.submit(approved(order(), epoch=world.epoch), GateKey("/gateway", 0))

        assert world.broker.received == []


def test_what_cannot_be_sent_as_it_stands_is_refused_at_once() -> None:
    with venue_world() as world:
        with pytest.raises(GateRefused, match=r"limit price is 41\.273, wanted at most 2 dec"):
            submit(world, order(limit_price=Decimal("41.273")))

        assert world.broker.received == []


def test_a_broker_that_is_not_there_withholds_the_order_since_nothing_was_sent() -> None:
    with venue_world() as world:
        world.broker.close()
        submit(world)

        (withheld,) = world.told(1)
        assert isinstance(withheld, OrderWithheld)
        assert withheld.reason.startswith("cannot connect: ConnectionRefusedError")


def test_an_order_that_waited_too_long_is_not_sent() -> None:
    with venue_world() as world:
        times = iter([0])
        world.clock = lambda: next(times, 10**12)
        submit(world)

        (withheld,) = world.told(1)
        assert isinstance(withheld, OrderWithheld)
        assert withheld.reason == "it waited too long for its turn to be sent"
        assert world.broker.received == []


@pytest.mark.parametrize(
    ("role", "late_s", "is_sent"),
    [(Role.ENTRY, 3, False), (Role.EXIT, 3, True), (Role.EXIT, 31, False)],
)
def test_an_order_whose_time_went_by_while_it_was_connected_is_not_sent(
    role: Role, late_s: int, is_sent: bool
) -> None:
    """An entry by a price of before is one too many; an exit counts for as long as its approval."""
    with venue_world() as world:
        world.on("POST", ORDERS, Reply(200, order_json()))
        now = [0]
        world.clock = lambda: now[0]
        connect = world.network.connect

        def slowly(address: tuple[str, int], within_s: float) -> socket.socket:
            now[0] = late_s * SECOND
            return connect(address, within_s)

        world.network.connect = slowly  # type: ignore[method-assign]  # of this world alone
        sent = structs.replace(
            approved(order(), role=role, epoch=world.epoch), expires_at=30 * SECOND
        )
        world.venue.submit(sent, KEY)

        (told,) = world.told(1)
        assert isinstance(told, OrderWithheld) is not is_sent
        assert world.broker.asked == ["POST /v2/orders"] * is_sent


def test_one_order_too_many_in_the_queue_is_refused_and_the_others_are_not_lost_i71() -> None:
    released = threading.Event()

    def hold(received: Received) -> Answer | None:
        if received.method != "POST":
            return None
        released.wait(5.0)
        return Reply(200, order_json(client_order_id=received.json["client_order_id"]))

    with venue_world(orders_waiting_max=3) as world:
        world.rules.append(hold)
        for number in range(2):
            submit(world, order(client_order_id=f"hy1-{number}"))
        assert eventually(lambda: len(world.broker.received) == 2)  # they are being sent
        for number in range(2, 5):
            submit(world, order(client_order_id=f"hy1-{number}"))
        with pytest.raises(GateRefused, match="too many entries wait to be sent"):
            submit(world, order(client_order_id="hy1-5"))
        released.set()

        names = {told.client_order_id for told in world.told(5) if isinstance(told, OrderAccepted)}
        assert names == {f"hy1-{number}" for number in range(5)}


def test_cancels_and_exits_do_not_wait_behind_entries_i71() -> None:
    released = threading.Event()

    def hold_entries(received: Received) -> Answer | None:
        if received.method != "POST" or received.json["side"] == "sell":
            return None
        released.wait(5.0)
        return Reply(200, order_json())

    with venue_world() as world:
        world.rules.append(hold_entries)
        sold = order_json(client_order_id="hy1-exit", side="sell", type="market", limit_price=None)
        world.on("POST", ORDERS, Reply(200, sold))
        world.on("GET", BY_NAME, Reply(200, order_json()))
        world.on("DELETE", f"{ORDERS}/{ID}", Reply(204))
        for number in range(20):
            submit(world, order(client_order_id=f"hy1-{number}"))
        world.venue.cancel(NAME, KEY)
        submit(world, market_order(client_order_id="hy1-exit", side=Side.SELL), role=Role.EXIT)

        accepted = world.next_told()
        assert isinstance(accepted, OrderAccepted)
        assert accepted.client_order_id == "hy1-exit"
        assert eventually(lambda: f"DELETE {ORDERS}/{ID}" in world.broker.asked)
        released.set()
        assert len(world.told(20)) == 20


# Replacing


NEW = order(client_order_id="hy1-new", replaces=NAME, limit_price=Decimal("41.31"))


def test_a_replacement_is_read_before_and_asked_for_once_i26() -> None:
    with venue_world() as world:
        world.on("GET", BY_NAME, Reply(200, order_json()))
        new = order_json(id="new-id", client_order_id="hy1-new", replaces=ID, limit_price="41.31")
        world.on("PATCH", f"{ORDERS}/{ID}", Reply(200, new))
        submit(world, NEW)

        (accepted,) = world.told(1)
        assert isinstance(accepted, OrderAccepted)
        assert (accepted.venue_order_id, accepted.echo) == ("new-id", NEW)
        assert world.broker.asked == [f"GET {BY_NAME}", f"PATCH {ORDERS}/{ID}"]
        assert world.broker.received[1].json == {
            "limit_price": "41.31",
            "client_order_id": "hy1-new",
        }


@pytest.mark.parametrize(
    ("old", "reason"),
    [
        (error(404, 40410000, "order not found"), f"the venue has no {NAME} to replace"),
        (
            Reply(200, order_json(filled_qty="5", status="partially_filled")),
            "hy1-new: what it replaces has 5 filled; cancel it and decide anew",
        ),
        (Reply(500), f"GET {BY_NAME}: the broker answered 500"),
    ],
)
def test_what_cannot_be_replaced_is_withheld_and_stays_as_it_was(old: Reply, reason: str) -> None:
    with venue_world() as world:
        world.on("GET", BY_NAME, old)
        submit(world, NEW)

        assert world.told(1) == [OrderWithheld(client_order_id="hy1-new", reason=reason, at=NOW)]
        assert world.broker.asked == [f"GET {BY_NAME}"]


# Canceling


def test_a_cancel_is_asked_for_by_the_brokers_name_and_is_no_outcome_i25() -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, Reply(200, order_json()))
        world.on("DELETE", f"{ORDERS}/{ID}", Reply(204))
        submit(world)
        world.told(1)
        world.venue.cancel(NAME, KEY)
        assert eventually(lambda: len(world.broker.received) == 2)

        assert world.told(0) == []
        assert world.broker.asked == ["POST /v2/orders", f"DELETE {ORDERS}/{ID}"]


def test_a_cancel_passes_a_shut_gate_i10() -> None:
    with venue_world(HALT) as world:
        world.on("GET", BY_NAME, Reply(200, order_json()))
        world.on("DELETE", f"{ORDERS}/{ID}", Reply(204))
        world.venue.cancel(NAME, KEY)

        assert eventually(lambda: f"DELETE {ORDERS}/{ID}" in world.broker.asked)


@pytest.mark.parametrize(
    "answer",
    [
        error(422, 42210000, 'order is already in "filled" state'),
        error(404, 40410000, "order not found"),
        Reply(500),
        Reply(200),
        Reset(),
    ],
)
def test_a_cancel_that_was_not_taken_is_looked_into_i25(answer: Answer) -> None:
    with venue_world() as world:
        filled = order_json(status="filled", filled_qty="5", qty="5")
        world.on("GET", BY_NAME, Reply(200, filled))
        world.on("GET", "/v2/account/activities/FILL", Reply(200, [fill_json()]), Reply(200, []))
        world.on("DELETE", f"{ORDERS}/{ID}", answer)
        world.venue.cancel(NAME, KEY)

        (found,) = world.told(1)
        assert isinstance(found, OrderFound)
        assert (found.found.status.value, [fill.quantity for fill in found.fills]) == (
            "filled",
            [Decimal(5)],
        )


def test_all_orders_are_canceled_by_one_request_and_then_compared_i10() -> None:
    rows = [{"id": ID, "status": 200, "body": order_json()}, {"id": "x", "status": 404}]
    with venue_world(HALT) as world:
        world.on("DELETE", ORDERS, Reply(207, rows))
        world.venue.cancel_all(KEY)

        assert world.told(1) == [
            ReconcileNow(reason="all orders were asked to be canceled: 2 orders, 1 refusals")
        ]
        assert world.broker.asked == [f"DELETE {ORDERS}"]


# Looking up and reading the account


def test_an_order_is_looked_up_with_its_executions() -> None:
    with venue_world(HALT) as world:
        row = order_json(status="partially_filled", filled_qty="5")
        world.on("GET", BY_NAME, Reply(200, row))
        world.on("GET", "/v2/account/activities/FILL", Reply(200, [fill_json()]), Reply(200, []))
        world.venue.look_up(NAME, KEY)

        (found,) = world.told(1)
        assert isinstance(found, OrderFound)
        assert (found.client_order_id, found.found.venue_order_id) == (NAME, ID)
        assert [fill.quantity for fill in found.fills] == [Decimal(5)]
        assert [dict(each.query) for each in world.broker.received] == [
            {"client_order_id": NAME},
            {
                "direction": "desc",
                "page_size": "100",
                "after": "2026-11-23T14:31:06.411870226Z",
                "order_id": ID,
            },
            {
                "direction": "desc",
                "page_size": "100",
                "after": "2026-11-23T14:31:06.411870226Z",
                "order_id": ID,
                "page_token": fill_json()["id"],
            },
        ]


def test_only_the_brokers_own_word_is_that_there_is_no_such_order_i19() -> None:
    with venue_world() as world:
        absent = error(404, 40410000, f"order not found for {NAME}")
        world.on("GET", BY_NAME, absent, Reply(404, b"<html>"), Reply(500), Reset())
        for _ in range(4):
            world.venue.look_up(NAME, KEY)
        told = world.told(4)

        reasons = [message.reason for message in told if isinstance(message, OrderNotFound)]
        assert reasons[0] == ""
        assert all(reasons[1:])
        assert len(reasons) == 4


def account_of(world: VenueWorld) -> None:
    world.on("GET", "/v2/account", Reply(200, account_json()))
    world.on("GET", "/v2/positions", Reply(200, [position_json()]))
    open_orders = Reply(200, [order_json(status="partially_filled", filled_qty="5")])

    def orders(received: Received) -> Answer | None:
        if str(received) != f"GET {ORDERS}":
            return None
        is_open = received.query["status"] == "open" and received.query.get("until", "3") > "2027"
        return open_orders if is_open else Reply(200, [])

    def fills(received: Received) -> Answer | None:
        if received.path != "/v2/account/activities/FILL":
            return None
        return Reply(200, [] if "page_token" in received.query else [fill_json()])

    world.rules += [orders, fills]


def test_a_snapshot_is_the_account_as_the_broker_has_it_also_while_halted_i60() -> None:
    with venue_world(HALT) as world:
        account_of(world)
        world.venue.take_snapshot(7, 0, KEY)

        (taken,) = world.told(1)
        assert isinstance(taken, SnapshotTaken)
        assert taken.number == 7
        snapshot = taken.snapshot
        assert snapshot.positions == (VenuePosition(symbol="HYDR", quantity=Decimal(5)),)
        assert [each.order for each in snapshot.orders] == [order()]
        assert [fill.client_order_id for fill in snapshot.fills] == [NAME]
        assert {passed for _, passed in world.gate.classes} == {PermitClass.READ}
        assert world.gate.in_flight() == ()


@pytest.mark.parametrize(
    "path",
    [
        "/v2/account",
        "/v2/positions",
        ORDERS,
        "/v2/account/activities/FILL",
        "/v2/account/activities",
    ],
)
@pytest.mark.parametrize("answer", [Reply(500), Reply(200, b"["), Reply(429), Reset()])
def test_a_snapshot_that_lacks_anything_fails_i62(path: str, answer: Answer) -> None:
    with venue_world() as world:
        world.on("GET", path, answer)
        account_of(world)
        world.venue.take_snapshot(7, 0, KEY)

        (failed,) = world.told(1)
        assert isinstance(failed, SnapshotFailed)
        assert failed.number == 7
        assert failed.reason.startswith(f"GET {path}: ")


def test_one_snapshot_too_many_fails_and_blocks_nobody_i71() -> None:
    with venue_world(snapshots_waiting_max=1, snapshot_within_s=0.3) as world:
        world.on("GET", "/v2/positions", Silence())
        for number in range(3):
            world.venue.take_snapshot(number, 0, KEY)
            time.sleep(0.05)

        told = world.told(3)
        assert [message.number for message in told if isinstance(message, SnapshotFailed)] == [
            2,
            0,
            1,
        ]


# The broker as a whole


def test_a_broker_that_fails_again_and_again_halts() -> None:
    with venue_world(failures_max=5) as world:
        world.on("GET", BY_NAME, Reply(500))
        for number in range(5):
            assert world.gate.state is TradingState.ACTIVE, number
            assert not world.venue.is_failing
            world.venue.look_up(NAME, KEY)
            world.told(1)

        assert world.venue.is_failing
        assert world.gate.state is TradingState.HALTED
        assert [cause.code for cause in world.gate.standing()] == ["api_failures"]


def test_a_broker_that_fails_only_counts_as_failing_where_that_condition_is_switched_off() -> None:
    with venue_world(failures_max=2, failures_halt=False) as world:
        world.on("GET", BY_NAME, Reply(500))
        for _ in range(3):
            world.venue.look_up(NAME, KEY)
            world.told(1)

        assert world.venue.is_failing
        assert (world.gate.state, world.gate.standing()) == (TradingState.ACTIVE, ())


def test_refusals_are_no_failures_of_the_broker() -> None:
    with venue_world(failures_max=1) as world:
        world.on("POST", ORDERS, error(403, 40310000, "insufficient buying power"))
        submit(world)
        world.told(1)

        assert world.gate.state is TradingState.ACTIVE


@pytest.mark.parametrize(
    "answer", [Reply(401, b"<html>"), error(401, 40110000, "request is not authorized")]
)
def test_a_key_that_is_refused_halts_at_once_i44(answer: Reply) -> None:
    with venue_world() as world:
        world.on("GET", BY_NAME, answer)
        world.venue.look_up(NAME, KEY)
        world.told(1)

        assert world.gate.state is TradingState.HALTED
        (cause,) = world.gate.standing()
        assert cause.code == "account_blocked"
        assert cause.detail.startswith("the venue refuses the key: ")


def test_a_key_that_is_refused_for_good_is_shown_now_and_then_and_by_cancels_i44() -> None:
    with venue_world() as world:
        world.on("GET", BY_NAME, Reply(401, b"<html>"))
        for _ in range(10):
            for _ in range(20):
                world.venue.look_up(NAME, KEY)
            world.told(20)
            world.minutes_passed += 1

        assert world.broker.asked == [f"GET {BY_NAME}"] * 10


def test_entries_stop_at_their_share_of_the_budget_and_exits_go_on_k15() -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, Reply(200, order_json()))
        for _ in range(100):
            submit(world)
            assert isinstance(world.next_told(), OrderAccepted)
        submit(world)
        told = world.next_told()
        submit(world, market_order(side=Side.SELL), role=Role.EXIT)

        assert isinstance(told, OrderWithheld)
        assert told.reason == "the requests of this minute are used up (entry)"
        assert isinstance(world.next_told(), OrderAccepted)
        assert len(world.broker.received) == 101

        world.minutes_passed = 1
        submit(world)
        assert isinstance(world.next_told(), OrderAccepted)


def entries_in_a_minute_of_429(world: VenueWorld, minute: int) -> list[type]:
    """What becomes of five of them. A cancel goes out behind them, which is waited for."""
    told: list[type] = []
    for number in range(5):
        submit(world, order(client_order_id=f"hy1-{minute}-{number}"))
        told.append(type(world.next_told()))
    world.venue.cancel(NAME, KEY)
    assert eventually(lambda: world.broker.asked.count(f"DELETE {ORDERS}/{ID}") == minute)
    world.minutes_passed += 1
    return told


def test_through_ten_minutes_of_429_one_entry_a_minute_is_tried_and_cancels_leave_i10_k15() -> None:
    with venue_world(failures_halt=False) as world:
        world.on("GET", BY_NAME, Reply(200, order_json()))
        world.on("POST", ORDERS, Reply(429, {"code": 42910000, "message": "too many"}))
        world.on("DELETE", f"{ORDERS}/{ID}", Reply(204))

        told = [entries_in_a_minute_of_429(world, minute) for minute in range(1, 11)]

        assert told == [[OrderUnknown, *[OrderWithheld] * 4]] * 10
        assert world.broker.asked.count("POST /v2/orders") == 10


def test_what_is_cut_at_a_halt_is_unknown_at_once_i01() -> None:
    with venue_world(call_within_s=5.0) as world:
        world.on("POST", ORDERS, Silence())
        submit(world)
        assert eventually(lambda: bool(world.broker.received))
        with Timed() as timed:
            world.venue.cut((NAME,))
            unknown(world)

        assert timed.took_s < 2.0


def test_closing_takes_nothing_more_and_leaves_nothing_running() -> None:
    world = VenueWorld(call_within_s=30.0, snapshot_within_s=30.0)
    world.on("GET", "/v2/positions", Silence())
    world.on("POST", ORDERS, Silence())
    world.venue.take_snapshot(1, 0, KEY)
    submit(world)
    assert eventually(lambda: len(world.broker.received) == 2)

    with Timed() as timed:
        world.close()

    assert timed.took_s < 4.0
    assert {type(world.next_told()) for _ in range(2)} == {SnapshotFailed, OrderUnknown}
    with pytest.raises(GateRefused, match="or the adapter is closed"):
        submit(world)
    world.venue.look_up(NAME, KEY)
    assert isinstance(world.next_told(), OrderNotFound)


class Bug(Exception):
    """What nobody expected."""


def test_a_thread_that_dies_is_not_lost_in_silence_i69(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    died: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: died.append(args.exc_value))
    with venue_world() as world:

        def fail(message: VenueWord) -> None:
            raise Bug

        world.venue._tell_message = fail
        world.venue.look_up(NAME, KEY)
        assert eventually(lambda: bool(died))

        assert isinstance(died[0], Bug)
        (cause,) = world.gate.standing()
        assert (cause.code, cause.state) == ("failed:alpaca-looks", TradingState.HALTED)


class BrokenOnce(KnownOrders):
    """Learns nothing the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.breaks = True

    def learn(self, payload: OrderPayload) -> None:
        if self.breaks:
            self.breaks = False
            raise Bug
        super().learn(payload)


@pytest.mark.parametrize("lane", ["snapshots", "looks"])
def test_a_reading_that_meets_a_bug_fails_and_halts_and_the_next_one_is_made_i62_i69(
    lane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda args: None)
    with venue_world() as world:
        account_of(world)
        world.on("GET", BY_NAME, Reply(200, order_json()))
        world.venue.known = BrokenOnce()
        told = []
        for number in range(2):
            if lane == "snapshots":
                world.venue.take_snapshot(number, 0, KEY)
            else:
                world.venue.look_up(NAME, KEY)
            told.append(world.next_told())

        first, second = told
        assert isinstance(first, SnapshotFailed | OrderNotFound)
        assert first.reason == "the adapter itself has failed: Bug"
        assert isinstance(second, SnapshotTaken | OrderFound)
        (cause,) = world.gate.standing()
        assert (cause.code, cause.state) == (f"failed:alpaca-{lane}", TradingState.HALTED)


def test_every_order_of_one_name_has_one_body_i15() -> None:
    with venue_world() as world:
        world.on("POST", ORDERS, Reply(504))
        for _ in range(3):
            submit(world)
        world.told(3)

        assert len({each.body for each in world.broker.received}) == 1


def test_what_the_adapter_shows_has_no_key_in_it_i83() -> None:
    with venue_world() as world:
        shown = repr(world.venue) + repr(world.venue.__dict__)

        assert "a-secret" not in shown
        assert "HYDRA-a-key" not in shown


def test_each_role_has_a_permit_class() -> None:
    assert set(PERMIT_CLASSES) == set(Role)
