"""What the local venue's log says of requests that never came to its brokerage, or were no orders.

All of it comes over HTTP here, as from a client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from hydra.testkit.judge.served_venue import NAMELESS, ServedVenue
from hydra.testkit.judge.venue_evidence import Asked, Markets, Verb
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.request_log import SealedFile, read_lines
from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.arrivals import BODY_BYTES_KEPT
from hydra.venues.simulated.server.log_lines import (
    FORMAT,
    RequestAnswered,
    RequestArrived,
    VenueLine,
)
from hydra.venues.simulated.server.rebuild import ClockTerms, Source, VenueTerms, open_venue
from hydra.venues.simulated.server.rest.settings import RestTerms
from tests.venues.server.clients import admin, http
from tests.venues.server.kit import (
    FREE,
    HEADERS,
    KEYS,
    MINUTE,
    OPEN,
    TERMS,
    in_loop,
    market,
    rising,
    served,
    tape_of,
)

DATA = market(*rising("HYDR", 12))
BODY = {
    "symbol": "HYDR",
    "qty": "2",
    "side": "buy",
    "type": "limit",
    "time_in_force": "day",
    "limit_price": "50",
    "client_order_id": "one",
}
ORDER = Order(
    client_order_id="one",
    symbol="HYDR",
    side=Side.BUY,
    quantity=Decimal(2),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=Decimal(50),
)
Talk = Callable[[int], Awaitable[None]]


def log_after(talk: Talk, path: Path, terms: AppTerms = TERMS) -> tuple[VenueLine, ...]:
    """What is on record after a client has talked to a venue, a minute after the open."""
    log = SealedFile.of(path, FORMAT)
    venue = open_venue(
        log,
        tape_of(DATA),
        Source(origin=DATA.origin, digest=DATA.digest),
        VenueTerms(),
        ClockTerms(speed=0),
        machine_time=lambda: 0,
        wall_clock=lambda: 7,
    )

    async def test() -> None:
        await venue.move_to(OPEN + MINUTE)
        async with served(venue, terms) as port:
            await talk(port)

    in_loop(test)
    log.close()
    return read_lines(path, FORMAT)


def asked_after(talk: Talk, path: Path, terms: AppTerms = TERMS) -> tuple[Asked, ...]:
    return ServedVenue(path, log_after(talk, path, terms)).asked


def brief(asked: Asked) -> tuple[Verb, str, Order | None, bool]:
    return asked.verb, asked.name, asked.order, asked.is_refused


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "account.jsonl"


def test_what_is_asked_is_on_record_as_it_came_and_as_it_was_answered(path: Path) -> None:
    async def talk(port: int) -> None:
        placed = await http(port, "POST", "/v2/orders", BODY)
        order_id = placed.json["id"]
        changes = {"qty": "3", "client_order_id": "two"}
        replaced = await http(port, "PATCH", f"/v2/orders/{order_id}", changes)
        await http(port, "DELETE", f"/v2/orders/{replaced.json['id']}")
        await http(port, "GET", "/v2/orders")
        await http(port, "DELETE", "/v2/orders")
        await http(port, "DELETE", "/v2/positions/HYDR")

    asked = asked_after(talk, path)

    second = structs.replace(ORDER, client_order_id="two", quantity=Decimal(3), replaces="one")
    assert [brief(each) for each in asked] == [
        (Verb.PLACE, "one", ORDER, False),
        (Verb.REPLACE, "two", second, False),
        (Verb.CANCEL, "two", None, False),
        (Verb.CANCEL_ALL, "DELETE /v2/orders", None, False),
        (Verb.CLOSE, "DELETE /v2/positions/HYDR", None, True),
    ]
    assert {(each.at, each.wall_ns, each.speed) for each in asked} == {(OPEN + MINUTE, 7, None)}


@pytest.mark.parametrize(
    ("rule", "is_refused"),
    [
        ({"type": "answer", "status": 503}, False),
        ({"type": "answer", "status": 403, "body": {"message": "no"}}, True),
        ({"type": "reset"}, False),
        ({"type": "reset", "landed": True}, False),
    ],
    ids=str,
)
def test_what_never_came_to_the_brokerage_or_was_not_answered_was_sent_all_the_same_i20(
    rule: dict[str, object], is_refused: bool, path: Path
) -> None:
    async def talk(port: int) -> None:
        await admin(port, "POST", "/rules/requests", {"fault": rule})
        await asyncio.gather(http(port, "POST", "/v2/orders", BODY), return_exceptions=True)

    lines = log_after(talk, path)

    answers = [line.status for line in lines if isinstance(line, RequestAnswered)]
    wanted = [rule["status"]] if "status" in rule else []
    (asked,) = ServedVenue(path, lines).asked
    assert (brief(asked), answers) == ((Verb.PLACE, "one", ORDER, is_refused), wanted)


def test_what_is_refused_at_the_door_was_sent_all_the_same_i20(path: Path) -> None:
    async def talk(port: int) -> None:
        for headers in (HEADERS, HEADERS, {"APCA-API-KEY-ID": "HYDRA0002"}):
            await http(port, "POST", "/v2/orders", BODY, headers)

    terms = AppTerms(
        keys=KEYS, rest=RestTerms(trading_per_minute=1, data_per_minute=1, plan=FREE.plan)
    )
    asked = asked_after(talk, path, terms)

    refused = (Verb.PLACE, "one", ORDER, True)
    assert [brief(each) for each in asked] == [(*refused[:3], False), refused, refused]


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({**BODY, "type": "trailing_stop", "trail_price": "1"}, "one"),
        ({**BODY, "qty": None, "notional": "100"}, "one"),
        ({**BODY, "side": "hold"}, NAMELESS),
        ({**BODY, "client_order_id": None}, NAMELESS),
        (["one"], NAMELESS),
    ],
)
def test_an_order_that_is_none_of_ours_has_no_words_and_maybe_no_name_i13_i15(
    body: object, name: str, path: Path
) -> None:
    async def talk(port: int) -> None:
        await http(port, "POST", "/v2/orders", body)

    (asked,) = asked_after(talk, path)

    assert (asked.verb, asked.name) == (Verb.PLACE, name)
    is_nameless = isinstance(body, dict) and body["client_order_id"] is None
    assert asked.order == (structs.replace(ORDER, client_order_id="") if is_nameless else None)


def test_what_did_not_come_whole_was_never_asked_and_what_is_long_is_not_lost(path: Path) -> None:
    async def talk(port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = "".join(f"{name}: {text}\r\n" for name, text in HEADERS.items())
        writer.write(
            f"POST /v2/orders HTTP/1.1\r\nHost: localhost\r\n{head}"
            'Content-Length: 99\r\n\r\n{"symbol": "HYDR", '.encode()
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        await http(port, "POST", "/v2/orders", {**BODY, "note": "." * BODY_BYTES_KEPT})

    (asked,) = asked_after(talk, path)

    assert brief(asked) == (Verb.PLACE, "one", ORDER, False)


def test_an_order_of_whose_arrival_nothing_is_known_is_not_left_out_i20(path: Path) -> None:
    async def talk(port: int) -> None:
        placed = await http(port, "POST", "/v2/orders", BODY)
        changes = {"qty": "3", "client_order_id": "two"}
        await http(port, "PATCH", f"/v2/orders/{placed.json['id']}", changes)

    lines = log_after(talk, path)
    left = [line for line in lines if not isinstance(line, RequestArrived)]

    assert [brief(each) for each in ServedVenue(path, left).asked] == [
        (Verb.PLACE, "one", ORDER, False),
        (Verb.REPLACE, "two", None, False),
    ]


def test_after_a_restart_each_answer_is_still_that_of_its_request(path: Path) -> None:
    async def refused(port: int) -> None:
        fault = {"type": "answer", "status": 403, "body": {}}
        await admin(port, "POST", "/rules/requests", {"fault": fault})
        await http(port, "POST", "/v2/orders", BODY)

    async def taken(port: int) -> None:
        await http(port, "POST", "/v2/orders", {**BODY, "client_order_id": "two"})

    log_after(refused, path)
    asked = asked_after(taken, path)

    assert [(each.name, each.is_refused) for each in asked] == [("one", True), ("two", False)]


def test_the_venue_played_again_shows_the_account_and_when_it_told_of_executions(
    path: Path,
) -> None:
    async def talk(port: int) -> None:
        at_market = {**BODY, "type": "market", "limit_price": None}
        await http(port, "POST", "/v2/orders", at_market)
        await http(port, "POST", "/v2/orders", {**BODY, "client_order_id": "two"})
        await http(port, "POST", "/v2/orders", {**BODY, "client_order_id": "two"})

    lines = log_after(talk, path)
    venue = ServedVenue(path, lines)
    first, second, _ = venue.asked
    played = venue.played(markets_of(DATA))

    held = {each.symbol: each.quantity for each in played.snapshot.positions}
    (fill,) = played.snapshot.fills
    assert [(each.order.client_order_id, each.status) for each in played.snapshot.orders] == [
        ("one", OrderStatus.FILLED),
        ("two", OrderStatus.ACCEPTED),
    ]
    assert (held, fill.client_order_id, played.told_at) == (
        {"HYDR": Decimal(2)}, "one", (OPEN + MINUTE,)
    )  # fmt: skip
    assert played.snapshot.account.cash == 100_000 - 2 * fill.price
    assert venue.played(markets_of(DATA), first.place).snapshot.orders == ()
    assert venue.played(markets_of(DATA), second.place).snapshot.fills == (fill,)
    with pytest.raises(LookupError, match="its market is not at hand"):
        venue.played(markets_of(market(*rising("OTHR", 3))))


def markets_of(data: MarketData) -> Markets:
    return Markets(data=(data,))
