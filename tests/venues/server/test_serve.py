"""The server itself: where it listens, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from contextlib import AsyncExitStack
from http.client import HTTPConnection
from time import perf_counter

import pytest

from hydra.venues.loopback import CannotServe
from hydra.venues.simulated.server.serve import serve
from tests.venues.server.clients import HttpAnswer, admin, data_stream, http
from tests.venues.server.kit import (
    HEADERS,
    PATIENCE_S,
    TERMS,
    QuietBrokerage,
    in_loop,
    rising,
    served,
    venue_on,
)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only 127.0.0.1 is loopback")
def test_it_listens_on_one_address_of_this_machine_alone() -> None:
    async def test() -> int:
        async with served(venue_on(*rising("HYDR", 1))) as port:
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.2", port)
            return (await http(port, "GET", "/v2/account")).status

    assert in_loop(test) == 200


def test_an_answer_on_a_connection_that_was_used_before_is_not_held_back() -> None:
    """Head and body are two writes: were the second one to wait for the client's word that it has
    the first (Nagle's rule), each answer would take 40 ms or more.
    """

    def ask(port: int) -> list[float]:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        with contextlib.closing(connection):
            took = []
            for _ in range(20):
                began = perf_counter()
                connection.request("GET", "/v2/positions", headers=HEADERS)
                connection.getresponse().read()
                took.append(perf_counter() - began)
            return took

    async def test() -> list[float]:
        async with served(venue_on(*rising("HYDR", 1))) as port:
            return await asyncio.to_thread(ask, port)

    took = in_loop(test)

    assert min(took[10:]) < 0.03


def test_a_port_that_is_taken_is_refused_in_one_line() -> None:
    async def test() -> str:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port: int = taken.getsockname()[1]
            with pytest.raises(CannotServe) as refused:
                await serve(
                    venue_on(*rising("HYDR", 1)), TERMS, port=port, ready=print,
                    stop=asyncio.Event(),
                )  # fmt: skip
            return str(refused.value)

    words = in_loop(test)

    assert words.startswith("port ")
    assert "--port" in words
    assert "\n" not in words


def test_it_ends_at_once_though_a_request_hangs_and_streams_are_open() -> None:
    async def test() -> tuple[bool, int | None]:
        async with AsyncExitStack() as clients:
            async with served(venue_on(*rising("HYDR", 1))) as port:
                await admin(port, "POST", "/rules/requests", {"fault": {"type": "hang"}})
                hanging = asyncio.create_task(http(port, "GET", "/v2/account"))
                stocks = await clients.enter_async_context(data_stream(port, "/v2/iex"))
                while (await admin(port, "GET", "/rules"))[0]["strikes_left"]:
                    pass
            (answer,) = await asyncio.gather(hanging, return_exceptions=True)
            was_answered = isinstance(answer, HttpAnswer) and answer.status == 200
            return was_answered, await stocks.close_code()

    assert in_loop(test) == (False, 1012)


@pytest.mark.parametrize("turns", range(8))
def test_it_ends_in_good_order_while_a_client_closes_its_stream(turns: int) -> None:
    """Between a client's word that it closes and the end of its connection lies a turn of the loop:
    one of these meets it.
    """

    async def test() -> None:
        async with AsyncExitStack() as clients:
            async with served(venue_on(*rising("HYDR", 1))) as port:
                stocks = await clients.enter_async_context(data_stream(port, "/v2/iex"))
                closing = asyncio.create_task(stocks.connection.close())
                for _ in range(turns):
                    await asyncio.sleep(0)
            await closing

    in_loop(test)


def test_a_market_that_fails_ends_the_server_with_its_error() -> None:
    venue = venue_on(*rising("HYDR", 1), brokerage=QuietBrokerage())

    def break_down() -> None:
        raise ArithmeticError("the market broke down")

    async def test() -> None:
        venue.wake_at(venue.now(), break_down)
        await asyncio.wait_for(
            serve(venue, TERMS, port=0, ready=lambda _: None, stop=asyncio.Event()), PATIENCE_S
        )

    with pytest.raises(ArithmeticError, match="broke down"):
        in_loop(test)
