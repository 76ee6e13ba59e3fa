"""Streams that fall silent, are cut, or send their clients away."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError

from hydra.venues.simulated.server.driver import LocalVenue
from tests.venues.server.clients import admin, data_stream, trading_stream
from tests.venues.server.kit import (
    MINUTE,
    OPEN,
    QuietBrokerage,
    in_loop,
    rising,
    served,
    venue_on,
)
from tests.venues.server.rest.vectors import needs_vectors, vector

IEX = "/v2/iex"
ANSWERED_S = 0.3


def quiet_venue() -> LocalVenue:
    return venue_on(*rising("HYDR", 10), brokerage=QuietBrokerage())


@pytest.mark.parametrize("answers_pings", [True, False])
def test_a_mute_stream_stays_open_and_tells_nothing(answers_pings: bool) -> None:
    local = quiet_venue()

    async def test() -> list[Any]:
        async with served(local) as port, data_stream(port, IEX, bars=["HYDR"]) as client:
            order = {"type": "mute", "path": IEX, "answers_pings": answers_pings}
            assert await admin(port, "POST", "/streams", order) == {"streams": [IEX]}
            await local.move_to(OPEN + 2 * MINUTE)
            await client.send({"action": "subscribe", "trades": ["HYDR"]})
            assert await client.is_silent()
            pong = await client.connection.ping()
            done, _ = await asyncio.wait({asyncio.ensure_future(pong)}, timeout=ANSWERED_S)
            await admin(port, "POST", "/streams", {"type": "unmute"})
            # What was sent meanwhile is heard only where it waited unread in the socket.
            heard_late = [] if answers_pings else await client.receive()
            await local.move_to(OPEN + 3 * MINUTE)
            messages = await client.messages(1 if answers_pings else 1 + 4)
            told = sorted(message["T"] for message in messages)
            return [bool(done), [message["T"] for message in heard_late], told]

    expected = [True, [], ["b"]] if answers_pings else [False, ["subscription"], [*"btttt"]]
    assert in_loop(test) == expected


def test_a_stream_can_be_reset_without_a_word() -> None:
    async def test() -> int | None:
        async with served(quiet_venue()) as port, trading_stream(port) as client:
            await admin(port, "POST", "/streams", {"type": "reset", "path": "/stream"})
            with pytest.raises(ConnectionClosedError):
                await client.receive()
            return client.connection.close_code

    assert in_loop(test) == 1006


@needs_vectors
@pytest.mark.parametrize("code", [402, 406, 407, 500])
def test_a_client_can_be_sent_away_with_an_error(code: int) -> None:
    (frame,) = vector(f"ws_data_error_{code}")["frames"]

    async def test() -> tuple[Any, int | None]:
        async with served(quiet_venue()) as port, data_stream(port, IEX) as client:
            await admin(port, "POST", "/streams", {"type": "kick", "code": code})
            return await client.receive(), await client.close_code()

    assert in_loop(test) == (frame["msg"], 1000)


def test_a_client_of_the_trading_stream_is_just_sent_away() -> None:
    async def test() -> int | None:
        async with served(quiet_venue()) as port, trading_stream(port) as client:
            await admin(port, "POST", "/streams", {"type": "kick", "path": "/stream"})
            return await client.close_code()

    assert in_loop(test) == 1000


def test_only_the_streams_that_are_meant_are_struck() -> None:
    local = quiet_venue()

    async def test() -> Any:
        async with (
            served(local) as port,
            data_stream(port, IEX, bars=["*"]) as stocks,
            data_stream(port, "/v2/sip", bars=["*"]) as other,
        ):
            await admin(port, "POST", "/streams", {"type": "mute", "path": "/v2/sip"})
            await local.move_to(OPEN + MINUTE)
            return [(await stocks.receive())[0]["T"], await other.is_silent()]

    assert in_loop(test) == ["b", True]
