"""What waits for a client: in order, in frames, bounded."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from hydra.venues.simulated.server.streams.outbox import LONGEST, Outbox
from tests.venues.server.clients import StreamClient, data_stream
from tests.venues.server.kit import (
    MINUTE,
    OPEN,
    QuietBrokerage,
    in_loop,
    rising,
    served,
    venue_on,
)


def test_messages_go_out_in_their_order_and_the_lonely_ones_alone() -> None:
    async def test() -> list[list[bytes]]:
        outbox = Outbox()
        for name in (b"a", b"C", b"D", b"e", b"f", b"g"):
            outbox.put(name, alone=name.isupper())
        outbox.end()
        return [await outbox.take(2) for _ in range(6)]

    assert in_loop(test) == [[b"a"], [b"C"], [b"D"], [b"e", b"f"], [b"g"], []]


def test_who_takes_waits_for_something_and_who_puts_for_room() -> None:
    async def test() -> list[Any]:
        outbox = Outbox(4)
        taking = asyncio.create_task(outbox.take(3))
        await asyncio.sleep(0)
        waited = not taking.done()
        for _ in range(3):
            outbox.put(b"x")
        was_roomy = outbox.is_roomy
        waiting = asyncio.create_task(outbox.has_room())
        taken = await taking
        await waiting
        return [waited, not was_roomy, taken]

    assert in_loop(test) == [True, True, [b"x"] * 3]


def test_more_than_may_wait_is_an_overflow_and_nothing_is_taken_any_more() -> None:
    async def test() -> list[Any]:
        outbox = Outbox(2)
        for name in (b"a", b"b", b"c", b"d"):
            outbox.put(name)
        await outbox.has_room()  # nobody waits for one that is over
        return [outbox.overflowed.is_set(), await outbox.take(9), await outbox.take(9)]

    assert in_loop(test) == [True, [b"a", b"b"], []]


async def all_frames(client: StreamClient) -> list[Any]:
    """Until the other side ends it."""
    frames = []
    with suppress(ConnectionClosed):
        while True:
            frames.append(await client.receive())
    return frames


@pytest.mark.slow
def test_a_client_that_does_not_keep_up_is_told_so_and_cut() -> None:
    symbols = [f"S{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    venue = venue_on(
        *(bar for symbol in symbols for bar in rising(symbol, 100)), brokerage=QuietBrokerage()
    )
    assert len(symbols) * 100 * 8 > LONGEST

    async def test() -> list[Any]:
        async with (
            served(venue) as port,
            data_stream(port, "/v2/sip", trades=["*"], quotes=["*"]) as client,
        ):
            venue.come_to(OPEN + 100 * MINUTE)  # at once: nobody could have read a thing
            return await all_frames(client)

    *told, last = in_loop(test)

    assert last == [{"T": "error", "code": 407, "msg": "slow client"}]
    assert sum(map(len, told)) < len(symbols) * 100 * 8


@pytest.mark.slow
def test_a_client_that_reads_loses_nothing_however_far_the_clock_is_moved() -> None:
    symbols = [f"S{letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    venue = venue_on(
        *(bar for symbol in symbols for bar in rising(symbol, 100)), brokerage=QuietBrokerage()
    )

    async def test() -> int:
        async with (
            served(venue) as port,
            data_stream(port, "/v2/sip", trades=["*"], quotes=["*"]) as client,
        ):
            wanted = len(symbols) * 100 * 8
            reading = asyncio.create_task(client.messages(wanted))
            await venue.move_to(OPEN + 100 * MINUTE)
            return len(await reading)

    assert in_loop(test) == len(symbols) * 100 * 8
