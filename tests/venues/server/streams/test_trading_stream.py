"""Sessions on the trading stream, and the updates that it tells."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from hydra.venues.simulated.server.driver import LocalVenue
from tests.venues.server.clients import http, stream, trading_stream
from tests.venues.server.kit import (
    KEYS,
    MINUTE,
    OPEN,
    SECOND,
    TERMS,
    in_loop,
    rising,
    served,
    venue_on,
)
from tests.venues.server.rest.vectors import needs_vectors, vector

BUY = {"symbol": "HYDR", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day"}
LIMIT = {**BUY, "type": "limit", "limit_price": "90"}


def venue() -> LocalVenue:
    return venue_on(*rising("HYDR", 10))


@needs_vectors
@pytest.mark.parametrize("form", ["alpaca-py's", "the newer one"])
def test_a_session_goes_as_in_the_example_and_in_binary_frames(form: str) -> None:
    frames = [frame["msg"] for frame in vector("ws_trading_session")["frames"]]
    login = {"action": "authenticate", "data": {"key_id": KEYS.key_id, "secret_key": KEYS.secret}}
    if form == "the newer one":
        login = {"action": "auth", "key": KEYS.key_id, "secret": KEYS.secret}

    async def test() -> list[Any]:
        async with (
            served(venue()) as port,
            stream(port, "/stream", is_msgpack=False) as client,
        ):
            assert await client.is_silent(), "it greets nobody"
            await client.connection.send(json.dumps(login))
            first = await client.connection.recv()
            await client.connection.send(json.dumps(frames[2]).encode())
            return [first, await client.connection.recv()]

    heard = in_loop(test)

    assert all(isinstance(frame, bytes) for frame in heard)
    authorized, listening = map(json.loads, heard)
    assert listening == frames[3]
    action = login["action"]
    assert authorized == {**frames[1], "data": {"status": "authorized", "action": action}}


@needs_vectors
def test_who_is_not_authorized_is_told_so_and_may_try_again() -> None:
    wrong = {"action": "authenticate", "data": {"key_id": KEYS.key_id, "secret_key": "another"}}
    right = {"action": "authenticate", "data": {"key_id": KEYS.key_id, "secret_key": KEYS.secret}}
    listen = {"action": "listen", "data": {"streams": ["trade_updates"]}}

    async def test() -> list[Any]:
        async with served(venue()) as port, stream(port, "/stream", is_msgpack=False) as client:
            return [await client.ask(message) for message in (wrong, listen, right)]

    *refused, accepted = in_loop(test)

    assert refused == [frame["msg"] for frame in vector("ws_trading_unauthorized")["frames"]]
    assert accepted["data"]["status"] == "authorized"


def test_each_listen_replaces_what_was_listened_to() -> None:
    async def test() -> list[Any]:
        async with served(venue()) as port, trading_stream(port) as client:
            answers = [
                await client.ask({"action": "listen", "data": {"streams": streams}})
                for streams in (["trade_updates", "account_updates"], [])
            ]
            assert (await http(port, "POST", "/v2/orders", LIMIT)).status == 200
            assert await client.is_silent()
            return answers

    assert in_loop(test) == [
        {"stream": "listening", "data": {"streams": ["trade_updates"]}},
        {"stream": "listening", "data": {"streams": []}},
    ]


def test_there_is_one_place_and_it_is_free_again_when_it_is_left() -> None:
    async def test() -> tuple[str, str]:
        async with served(venue()) as port:
            async with trading_stream(port):
                try:
                    async with trading_stream(port):
                        first = "taken twice"
                except Exception as refused:  # noqa: BLE001 (whichever way it is refused)
                    first = str(refused)
            async with trading_stream(port):
                return first, "free again"

    refused, after = in_loop(test)

    assert "429" in refused
    assert after == "free again"


def test_text_frames_can_be_asked_for_at_the_start() -> None:
    async def test() -> Any:
        async with (
            served(venue(), replace(TERMS, is_text=True)) as port,
            stream(port, "/stream", is_msgpack=False) as client,
        ):
            await client.send({"action": "dance"})
            return await client.connection.recv()

    assert in_loop(test) == (
        '{"stream":"authorization","data":{"status":"unauthorized","action":"dance"}}'
    )


def test_an_orders_life_is_told_from_the_request_and_from_the_market() -> None:
    local = venue()

    async def test() -> list[Any]:
        async with served(local) as port, trading_stream(port) as client:
            await local.move_to(OPEN + SECOND)
            for body in (BUY, LIMIT):
                assert (await http(port, "POST", "/v2/orders", body)).status == 200
            messages = [await client.receive() for _ in range(5)]
            await local.move_to(OPEN + 390 * MINUTE)
            return [*messages, await client.receive()]

    heard = in_loop(test)

    assert {message["stream"] for message in heard} == {"trade_updates"}
    assert [(each["data"]["event"], each["data"]["order"]["type"]) for each in heard] == [
        ("pending_new", "market"),
        ("new", "market"),
        ("fill", "market"),
        ("pending_new", "limit"),
        ("new", "limit"),
        ("expired", "limit"),
    ]
    assert heard[2]["data"]["position_qty"] == "3"
    assert heard[5]["data"]["timestamp"] == "2026-01-05T21:00:00Z"
