"""What becomes of requests and their answers, and whether the order then stands at the venue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hydra.venues.simulated.server.driver import LocalVenue
from tests.venues.server.clients import HttpAnswer, admin, http
from tests.venues.server.kit import in_loop, rising, served, venue_on

LIMIT = {
    "symbol": "HYDR", "qty": "3", "side": "buy", "type": "limit", "limit_price": "90",
    "time_in_force": "day", "client_order_id": "hy1-a-e",
}  # fmt: skip
ORDERS = "/v2/orders"


def venue() -> LocalVenue:
    return venue_on(*rising("HYDR", 10))


async def outcome(port: int, method: str = "POST", path: str = ORDERS, body: Any = None) -> Any:
    """The answer's status, or that there was none."""
    try:
        return (await http(port, method, path, LIMIT if body is None else body)).status
    except ConnectionResetError:
        return "reset"


def after_fault(fault: dict[str, Any], **rule: Any) -> tuple[Any, int]:
    """What a client got, and how many orders the venue then had."""

    async def test() -> tuple[Any, int]:
        async with served(venue()) as port:
            await admin(port, "POST", "/rules/requests", {"fault": fault, "method": "post", **rule})
            got = await outcome(port)
            listed = await http(port, "GET", "/v2/orders?status=all")
            return got, len(listed.json)

    return in_loop(test)


@pytest.mark.parametrize("landed", [True, False])
@pytest.mark.parametrize(
    ("fault", "got"),
    [
        ({"type": "answer", "status": 504, "body": {"code": 50410000, "message": "x"}}, 504),
        ({"type": "answer", "status": 500}, 500),
        ({"type": "answer", "status": 503, "text": "<html>", "content_type": "text/html"}, 503),
        ({"type": "reset"}, "reset"),
        ({"type": "delay", "seconds": 0.02}, 200),
    ],
)
def test_an_order_stands_at_the_venue_if_it_landed_whatever_its_sender_hears(
    fault: dict[str, Any], got: Any, landed: bool
) -> None:
    found = after_fault({**fault, "landed": landed})

    assert found == (got, 1 if landed or got == 200 else 0)


def made_up(fault: dict[str, Any]) -> HttpAnswer:
    async def test() -> HttpAnswer:
        async with served(venue()) as port:
            await admin(port, "POST", "/rules/requests", {"fault": {"type": "answer", **fault}})
            return await http(port, "GET", "/v2/account")

    return in_loop(test)


def test_an_answer_can_be_a_page_or_nothing_at_all() -> None:
    page = made_up({"status": 502, "text": "<html>Bad Gateway</html>", "content_type": "text/html"})
    empty = made_up({"status": 200})

    assert (page.status, page.content) == (502, b"<html>Bad Gateway</html>")
    assert page.headers["content-type"] == "text/html"
    assert (empty.status, empty.content) == (200, b"")
    for answer in (page, empty):
        assert answer.headers["x-hydra-venue"] == "embedded; not real money, not real prices"
        assert answer.headers["x-request-id"]


@pytest.mark.parametrize("headers", [{}, {"X-RateLimit-Remaining": "0"}])
def test_so_many_requests_are_one_too_many_with_and_without_headers(
    headers: dict[str, str],
) -> None:
    rule = {
        "fault": {
            "type": "answer",
            "status": 429,
            "body": {"code": 42910000, "message": "rate limit exceeded"},
            "headers": headers,
        },
        "skip": 1,
        "times": 2,
    }

    async def test() -> list[HttpAnswer]:
        async with served(venue()) as port:
            await admin(port, "POST", "/rules/requests", rule)
            return [await http(port, "GET", "/v2/account") for _ in range(4)]

    answers = in_loop(test)

    assert [answer.status for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers.get("x-ratelimit-remaining") == headers.get("X-RateLimit-Remaining")


def test_one_of_so_many_is_struck() -> None:
    rule = {"fault": {"type": "answer", "status": 500}, "skip": 1, "every": 3, "times": None}

    async def test() -> list[int]:
        async with served(venue()) as port:
            await admin(port, "POST", "/rules/requests", rule)
            return [(await http(port, "GET", "/v2/account")).status for _ in range(6)]

    assert in_loop(test) == [200, 500, 200, 200, 500, 200]


@pytest.mark.parametrize("landed", [True, False])
def test_a_request_that_hangs_is_answered_rightly_when_the_rule_is_taken_back(
    landed: bool,
) -> None:
    async def test() -> tuple[int, Any]:
        async with served(venue()) as port:
            rule = {"fault": {"type": "hang", "landed": landed}, "path": ORDERS, "method": "POST"}
            number = (await admin(port, "POST", "/rules/requests", rule))["rule"]
            waiting = asyncio.create_task(outcome(port))
            count = -1
            while count != (1 if landed else 0):
                listed = await http(port, "GET", "/v2/orders?status=all")
                count = len(listed.json)
            assert not waiting.done()
            await admin(port, "DELETE", f"/rules/{number}")
            got = await waiting
            return got, len((await http(port, "GET", "/v2/orders?status=all")).json)

    assert in_loop(test) == (200, 1)


def test_who_goes_away_while_a_request_hangs_has_not_sent_it() -> None:
    async def test() -> int:
        async with served(venue()) as port:
            rule = {"fault": {"type": "hang"}, "path": ORDERS, "method": "POST"}
            number = (await admin(port, "POST", "/rules/requests", rule))["rule"]
            waiting = asyncio.create_task(outcome(port))
            strikes_left = 1
            while strikes_left:
                (armed,) = await admin(port, "GET", "/rules")
                strikes_left = armed["strikes_left"]
            waiting.cancel()
            await asyncio.wait({waiting})
            await asyncio.sleep(0.05)
            await admin(port, "DELETE", f"/rules/{number}")
            return len((await http(port, "GET", "/v2/orders?status=all")).json)

    assert in_loop(test) == 0


def test_an_answer_can_come_a_byte_at_a_time() -> None:
    async def test() -> tuple[float, Any]:
        async with served(venue()) as port:
            rule = {"fault": {"type": "trickle", "seconds": 0.002}}
            await admin(port, "POST", "/rules/requests", rule)
            loop = asyncio.get_running_loop()
            start = loop.time()
            answer = await http(port, "GET", "/v2/clock")
            return (loop.time() - start) / len(answer.content), answer.json

    seconds_a_byte, clock = in_loop(test)

    assert seconds_a_byte >= 0.002
    assert clock["is_open"] is False


LEGACY_ACCOUNT = {
    "set": {"pattern_day_trader": False, "daytrade_count": 0, "daytrading_buying_power": "0"}
}


@pytest.mark.parametrize(
    ("path", "alteration", "look"),
    [
        ("/v2/account", LEGACY_ACCOUNT, lambda body: body["pattern_day_trader"] is False),
        ("/v2/account", {"set": {"status": "ODD"}}, lambda body: body["status"] == "ODD"),
        (
            "/v2/assets",
            {"remove": ["easy_to_borrow"], "set": {"borrow_status": "easy_to_borrow"}},
            lambda body: all("easy_to_borrow" not in each for each in body),
        ),
        (
            "/v2/orders?status=all",
            {"set": {"unheard_of": 1, "status": "odd"}, "remove": ["hwm", "source"]},
            lambda body: [
                (each["unheard_of"], each["status"], "hwm" in each) for each in body
            ] == [(1, "odd", False)],
        ),
    ],
)  # fmt: skip
def test_an_answer_can_be_of_another_shape(
    path: str, alteration: dict[str, Any], look: Any
) -> None:
    async def test() -> Any:
        async with served(venue()) as port:
            assert await outcome(port) == 200
            rule = {"fault": {"type": "alter", "alteration": alteration}}
            await admin(port, "POST", "/rules/requests", rule)
            return (await http(port, "GET", path)).json

    assert look(in_loop(test))


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        ({}, [500, 200, 200]),
        ({"times": None}, [500, 500, 500]),
        ({"method": "GET"}, [200, 500, 200]),
        ({"path": "/v2/pos*"}, [200, 200, 500]),
        ({"path": "/v2/orders", "method": "delete"}, [200, 200, 200]),
        ({"contains": "hy1-a-e"}, [500, 200, 200]),
        ({"contains": "status=all"}, [200, 500, 200]),
    ],
)
def test_a_rule_strikes_the_requests_that_it_means(
    rule: dict[str, Any], statuses: list[int]
) -> None:
    async def test() -> list[Any]:
        async with served(venue()) as port:
            fault = {"type": "answer", "status": 500, "landed": True}
            await admin(port, "POST", "/rules/requests", {"fault": fault, **rule})
            return [
                await outcome(port),
                await outcome(port, "GET", "/v2/orders?status=all", {}),
                await outcome(port, "GET", "/v2/positions", {}),
            ]

    assert in_loop(test) == statuses
