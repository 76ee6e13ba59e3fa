"""The admin path: who may use it, what it answers, the clock, and acts of the brokerage."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from hydra.venues.simulated.server.driver import LocalVenue
from tests.venues.server.clients import HttpAnswer, StreamClient, admin, http, trading_stream
from tests.venues.server.kit import (
    HEADERS,
    OPEN,
    SECOND,
    TERMS,
    TOKEN,
    in_loop,
    rising,
    served,
    venue_on,
)

BUY = {"symbol": "HYDR", "qty": "4", "side": "buy", "type": "market", "time_in_force": "day"}
LIMIT = {**BUY, "type": "limit", "limit_price": "90"}
FOREIGN = {
    "type": "place", "symbol": "HYDR", "quantity": "2", "side": "buy", "order_type": "limit",
    "limit_price": "90", "time_in_force": "day",
}  # fmt: skip
CLOCK = "/hydra-admin/clock"
AT_OPEN = {"type": "set", "time": "2026-01-05T14:30:01Z"}


def venue() -> LocalVenue:
    return venue_on(*rising("HYDR", 10))


def asked(method: str, path: str, body: Any = None, **headers: str) -> HttpAnswer:
    async def test() -> HttpAnswer:
        async with served(venue()) as port:
            return await http(port, method, path, body, headers)

    return in_loop(test)


def test_without_a_token_at_the_start_there_is_no_admin_path() -> None:
    async def test() -> HttpAnswer:
        async with served(venue(), replace(TERMS, admin_token=None)) as port:
            headers = {**HEADERS, "X-Hydra-Admin-Token": TOKEN}
            return await http(port, "GET", CLOCK, headers=headers)

    assert in_loop(test).status == 404


@pytest.mark.parametrize("headers", [{}, {"X-Hydra-Admin-Token": "another"}, HEADERS])
def test_who_has_not_the_token_is_refused(headers: dict[str, str]) -> None:
    answer = asked("POST", CLOCK, AT_OPEN, **headers)

    assert (answer.status, list(answer.json)) == (403, ["error"])
    assert answer.headers["x-hydra-venue"]


def test_a_page_that_was_led_here_by_another_name_is_refused() -> None:
    answer = asked("GET", CLOCK, Host="venue.example", **{"X-Hydra-Admin-Token": TOKEN})

    assert answer.status == 400


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/clock", {"type": "stop"}, "/hydra-admin/clock: Invalid value 'stop' - at `$.type`"),
        ("/clock", {"type": "set", "time": "noon"}, "time is 'noon', wanted RFC 3339"),
        ("/clock", {"type": "set", "time": "2026-01-05T14:00:00Z"}, "it never goes back"),
        ("/clock", {"type": "step", "seconds": -1}, "it never goes back"),
        ("/clock", {"type": "speed", "speed": -1}, "speed is -1.0; wanted 0 (stand still) or up"),
        ("/rules/requests", {"fault": {"type": "reset"}, "sometimes": 1}, "sometimes"),
        ("/rules/updates", {"fault": {"type": "lose"}, "event": "dance"}, "dance"),
        ("/streams", {"type": "kick", "code": 405}, "code is 405, wanted one of 401, 402"),
        ("/acts", {"type": "halt_symbol", "symbol": "NONE"}, "NONE"),
        ("/acts", {"type": "bust_execution", "execution_id": "none"}, "none"),
        ("/messages", {"kind": "stocks", "message": {"S": "HYDR"}}, "T is None, wanted one of t"),
        ("/messages", {"kind": "stocks", "message": {"T": "l"}}, "what it is about, wanted S"),
        ("/messages", {"kind": "news", "message": {"T": "l", "S": "A"}}, "wanted n on news alone"),
        (
            "/messages",
            {"kind": "stocks", "message": {"T": "l", "S": "HYDR", "t": "soon"}},
            "t is 'soon', wanted an RFC 3339 time",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_line(path: str, body: Any, words: str) -> None:
    answer = asked("POST", f"/hydra-admin{path}", body, **{"X-Hydra-Admin-Token": TOKEN})

    assert answer.status == 400
    assert words in answer.json["error"]
    assert "\n" not in answer.json["error"]


def test_the_clock_is_set_stepped_skewed_and_run() -> None:
    async def test() -> list[Any]:
        async with served(venue()) as port:
            told = [
                await admin(port, "GET", "/clock"),
                await admin(port, "POST", "/clock", AT_OPEN),
                await admin(port, "POST", "/clock", {"type": "step", "seconds": 0.5}),
                await admin(port, "POST", "/clock", {"type": "skew", "seconds": 3}),
            ]
            shown = (await http(port, "GET", "/v2/clock")).json["timestamp"]
            running = await admin(port, "POST", "/clock", {"type": "speed", "speed": 1000})
            return [*told, shown, running["speed"]]

    first, at_open, stepped, skewed, shown, speed = in_loop(test)

    assert (first["time"], first["speed"], first["events"]) == ("2026-01-05T14:29:00Z", 0, 0)
    assert at_open["now"] == OPEN + SECOND
    assert at_open["events"] == 4, "the session opens, and of the bar open, quote and trade"
    assert stepped["time"] == "2026-01-05T14:30:01.5Z"
    assert (skewed["time"], skewed["shown"]) == (stepped["time"], "2026-01-05T14:30:04.5Z")
    assert shown == "2026-01-05T09:30:04.5-05:00"
    assert speed == 1000


def test_rules_are_listed_and_taken_back() -> None:
    rule = {"fault": {"type": "lose"}, "times": 2}

    async def test() -> list[Any]:
        async with served(venue()) as port:
            first = await admin(port, "POST", "/rules/updates", rule)
            second = await admin(port, "POST", "/rules/requests", {"fault": {"type": "reset"}})
            listed = await admin(port, "GET", "/rules")
            gone = await admin(port, "DELETE", "/rules/1")
            again = await http(
                port, "DELETE", "/hydra-admin/rules/1", headers={"X-Hydra-Admin-Token": TOKEN}
            )
            everything = await admin(port, "DELETE", "/rules")
            return [first, second, listed, gone, again, everything]

    first, second, listed, gone, again, everything = in_loop(test)

    assert (first, second, gone, everything) == (
        {"rule": 1}, {"rule": 2}, {"rule": 1}, {"rules": [2]},
    )  # fmt: skip
    assert [(each["rule"], each["strikes_left"]) for each in listed] == [(1, 2), (2, 1)]
    assert listed[0]["given"]["fault"] == {"type": "lose"}
    assert (again.status, again.json) == (404, {"error": "there is no rule 1"})


Told = list[tuple[str, str, str]]


async def told_until(client: StreamClient, event: str) -> Told:
    """Event, status and filled quantity of each update, up to the first of an event."""
    found: Told = []
    while not found or found[-1][0] != event:
        data = (await client.receive())["data"]
        found.append((data["event"], data["order"]["status"], data["order"]["filled_qty"]))
    return found


async def place(port: int, order: dict[str, str]) -> dict[str, Any]:
    answer = await http(port, "POST", "/v2/orders", order)
    assert answer.status == 200, answer
    body: dict[str, Any] = answer.json
    return body


async def act(port: int, kind: str, **fields: Any) -> None:
    await admin(port, "POST", "/acts", {"type": kind, **fields})


def on_stage(scene: Callable[[int, StreamClient, LocalVenue], Awaitable[Any]]) -> Any:
    """What a scene gives that plays at the open, with a client on the trading stream."""

    async def test() -> Any:
        local = venue()
        async with served(local) as port, trading_stream(port) as client:
            await local.move_to(OPEN + SECOND)
            return await scene(port, client, local)

    return in_loop(test)


def test_an_order_can_be_rejected_late() -> None:
    async def scene(port: int, client: StreamClient, _: LocalVenue) -> Any:
        await act(port, "reject_late", symbol="HYDR")
        assert (await place(port, BUY))["status"] == "pending_new"
        return await told_until(client, "rejected")

    assert on_stage(scene)[-1] == ("rejected", "rejected", "0")


def test_a_cancel_can_stay_pending_until_it_is_released() -> None:
    async def scene(port: int, client: StreamClient, local: LocalVenue) -> Any:
        await act(port, "hold_cancels")
        order = await place(port, LIMIT)
        answers = [
            (await http(port, "DELETE", f"/v2/orders/{order['id']}")).status for _ in range(2)
        ]
        pending = await told_until(client, "pending_cancel")
        await local.move_to(OPEN + 120 * SECOND)
        status = (await http(port, "GET", f"/v2/orders/{order['id']}")).json["status"]
        await act(port, "release_cancels")
        return [answers, pending[-1], status, await told_until(client, "canceled")]

    assert on_stage(scene) == [
        [204, 422],
        ("pending_cancel", "pending_cancel", "0"),
        "pending_cancel",
        [("canceled", "canceled", "0")],
    ]


def test_a_cancel_can_be_rejected_and_a_fill_can_beat_it() -> None:
    async def scene(port: int, client: StreamClient, _: LocalVenue) -> Any:
        await act(port, "reject_cancels")
        order = await place(port, LIMIT)
        await http(port, "DELETE", f"/v2/orders/{order['id']}")
        rejected = await told_until(client, "order_cancel_rejected")
        await act(port, "fill_after_cancel")
        await http(port, "DELETE", f"/v2/orders/{order['id']}")
        return [rejected[-1], [event for event, _, _ in await told_until(client, "fill")]]

    assert on_stage(scene) == [
        ("order_cancel_rejected", "new", "0"),
        ["pending_cancel", "fill"],
    ]


def test_a_replacement_can_be_rejected() -> None:
    async def scene(port: int, client: StreamClient, _: LocalVenue) -> Any:
        await act(port, "reject_replacements")
        order = await place(port, LIMIT)
        answer = await http(port, "PATCH", f"/v2/orders/{order['id']}", {"limit_price": "91"})
        told = await told_until(client, "order_replace_rejected")
        return [answer.status, told[-1][1]]

    assert on_stage(scene) == [200, "new"]


def test_an_order_can_fill_in_parts_that_were_said_before() -> None:
    async def scene(port: int, client: StreamClient, local: LocalVenue) -> Any:
        await act(port, "fill_in_parts", shares=["0.25", "0.5"])
        await place(port, BUY)
        await local.move_to(OPEN + 300 * SECOND)
        return [each for each in await told_until(client, "fill") if each[2] != "0"]

    assert on_stage(scene) == [
        ("partial_fill", "partially_filled", "1"),
        ("partial_fill", "partially_filled", "3"),
        ("fill", "filled", "4"),
    ]


def test_an_execution_can_be_corrected_and_taken_back() -> None:
    async def scene(port: int, client: StreamClient, _: LocalVenue) -> Any:
        await place(port, BUY)
        await told_until(client, "new")
        execution = (await client.receive())["data"]["execution_id"]
        await act(port, "correct_execution", execution_id=execution, price="99.5")
        corrected = (await client.receive())["data"]
        await act(port, "bust_execution", execution_id=corrected["execution_id"])
        busted = (await client.receive())["data"]
        positions = (await http(port, "GET", "/v2/positions")).json
        told = [
            (data["event"], data["previous_execution_id"], data["price"], data["qty"])
            for data in (corrected, busted)
        ]
        return [told, execution, corrected["execution_id"], positions]

    told, first, second, positions = on_stage(scene)

    assert told == [
        ("trade_correct", first, "99.5", "4"),
        ("trade_bust", second, "99.5", "-4"),
    ]
    assert positions == []


def test_somebody_else_can_trade_in_the_account() -> None:
    async def scene(port: int, client: StreamClient, _: LocalVenue) -> Any:
        await act(port, "foreign_order", order={**FOREIGN, "client_order_id": "by hand"})
        await act(port, "drift_position", symbol="HYDR", quantity="7", price="100")
        await act(port, "change_cash", amount="-12.5", activity="FEE")
        await told_until(client, "new")
        orders = (await http(port, "GET", "/v2/orders")).json
        (position,) = (await http(port, "GET", "/v2/positions")).json
        fees = (await http(port, "GET", "/v2/account/activities/FEE")).json
        return [orders[0]["client_order_id"], position["qty"], fees[0]["net_amount"]]

    assert on_stage(scene) == ["by hand", "7", "-12.5"]


def test_trading_stops_in_a_halted_symbol_and_in_a_blocked_account() -> None:
    async def scene(port: int, client: StreamClient, local: LocalVenue) -> Any:
        await act(port, "halt_symbol", symbol="HYDR")
        order = await place(port, BUY)
        await local.move_to(OPEN + 120 * SECOND)
        halted = (await http(port, "GET", f"/v2/orders/{order['id']}")).json["status"]
        await act(port, "resume_symbol", symbol="HYDR")
        await local.move_to(OPEN + 240 * SECOND)
        await told_until(client, "fill")
        await act(port, "restrict_account", account_blocked=True)
        refused = await http(port, "POST", "/v2/orders", BUY)
        account = (await http(port, "GET", "/v2/account")).json
        return [halted == "filled", refused.status, account["account_blocked"]]

    assert on_stage(scene) == [False, 403, True]


def test_the_exchange_can_close_early_and_the_calendar_says_so() -> None:
    close = OPEN + 150 * SECOND

    async def scene(port: int, client: StreamClient, local: LocalVenue) -> Any:
        await place(port, LIMIT)
        await act(port, "close_early", date="2026-01-05", at=close)
        clock = (await http(port, "GET", "/v2/clock")).json
        day = "/v2/calendar?start=2026-01-05&end=2026-01-05"
        (row,) = (await http(port, "GET", day)).json
        await local.move_to(close)
        expired = (await told_until(client, "expired"))[-1]
        return [clock["next_close"], row["close"], expired]

    assert on_stage(scene) == [
        "2026-01-05T09:32:30-05:00",
        "09:32",
        ("expired", "expired", "0"),
    ]


def test_shares_can_split() -> None:
    async def scene(port: int, client: StreamClient, _: LocalVenue) -> Any:
        await place(port, BUY)
        await told_until(client, "fill")
        await act(port, "split_symbol", symbol="HYDR", new=2, old=1)
        (position,) = (await http(port, "GET", "/v2/positions")).json
        return [position["qty"], position["avg_entry_price"]]

    assert on_stage(scene) == ["8", "50"]
