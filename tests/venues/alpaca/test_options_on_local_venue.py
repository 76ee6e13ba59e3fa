"""Chains and followed contracts on the local venue: both sides of the wire mean the same."""

from __future__ import annotations

import asyncio
import queue
from datetime import date
from decimal import Decimal

from msgspec import structs

from hydra.trading.option_symbols import Right
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.chains import AlpacaChains
from hydra.venues.alpaca.http import HttpClient
from hydra.venues.alpaca.options import OptionFeed, OptionReads
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.rest.settings import DataPlan
from messages.market import QuoteReceived
from messages.message import Message
from messages.options import ChainNotRead, ChainQuestion, ChainRead
from messages.streams import StreamConnected, StreamLost
from tests.venues.alpaca.test_feed_on_local_venue import TERMS, Told, client_on, feed_on
from tests.venues.server.clients import admin
from tests.venues.server.kit import (
    FREE,
    MINUTE,
    OPEN,
    PATIENCE_S,
    SECOND,
    in_loop,
    rising,
    served,
    venue_on,
)

QUESTION = ChainQuestion(
    underlying="HYDR",
    right=Right.PUT,
    first=date(2026, 1, 12),
    last=date(2026, 2, 19),
    strike_from=Decimal(95),
    strike_to=Decimal(105),
    reply_to="/hydra/bots/opt_core",
    asked_by=2,
    number=7,
)


def chains_on(
    client: HttpClient, venue: LocalVenue, told: queue.Queue[tuple[str, Message]]
) -> AlpacaChains:
    calls = Calls(
        client, Shares(), minutes_by=lambda: 0, market_time=venue.now, ended=lambda _: None
    )

    def tell(path: str, message: Message) -> None:
        told.put((path, message))

    return AlpacaChains(OptionReads(calls, calls, OptionFeed.INDICATIVE), tell)


def answer_to(question: ChainQuestion, *, is_away: bool = False) -> tuple[str, Message]:
    """What is told of it, by a venue in the middle of its first day."""
    venue = venue_on(*rising("HYDR", 60))
    told: queue.Queue[tuple[str, Message]] = queue.Queue()
    answer: list[tuple[str, Message]] = []

    async def test() -> None:
        async with served(venue, TERMS) as port:
            await venue.move_to(OPEN + 10 * MINUTE)
            client = client_on(port)
            chains = chains_on(client, venue, told)
            if is_away:
                client.close()
            chains.ask(question)
            answer.append(await asyncio.to_thread(told.get, timeout=PATIENCE_S))
            chains.ask_to_stop()
            assert await asyncio.to_thread(chains.join, PATIENCE_S)
            client.close()

    in_loop(test)
    return answer[0]


def test_a_chain_comes_whole_with_listing_quote_and_greeks_of_each_contract() -> None:
    path, told = answer_to(QUESTION)

    assert path == QUESTION.reply_to
    assert isinstance(told, ChainRead)
    assert (told.asked_by, told.number) == (2, 7)
    assert told.contracts
    for each in told.contracts:
        assert (each.underlying, each.right) == ("HYDR", Right.PUT)
        assert QUESTION.first <= each.expiration <= QUESTION.last
        assert 95 <= each.strike <= 105
        assert (each.tradable, each.in_penny_program) == (True, True)
        assert each.multiplier == 100
        assert each.quote is not None
        assert each.quote.symbol == each.symbol
        assert each.quote.bid < each.quote.ask
    at_the_money = [each for each in told.contracts if each.strike == 101]
    assert all(each.delta is not None and -0.7 < each.delta < -0.3 for each in at_the_money)
    assert all((each.open_interest or 0) >= 0 for each in at_the_money)
    assert any((each.open_interest or 0) > 100 for each in told.contracts)


def test_a_chain_that_cannot_be_read_is_told_so() -> None:
    path, told = answer_to(QUESTION, is_away=True)

    assert path == QUESTION.reply_to
    assert isinstance(told, ChainNotRead)
    assert (told.asked_by, told.number, bool(told.reason)) == (2, 7, True)


def test_contracts_are_followed_while_they_are_wanted_and_again_after_a_reconnect_i47() -> None:
    venue = venue_on(*rising("HYDR", 90), *rising("BTC/USD", 90))
    told = Told(venue)
    one, other = "HYDR260206C00101000", "HYDR260206P00101000"

    def quoted(symbol: str) -> int:
        return sum(each.quote.symbol == symbol for each in told.of(QuoteReceived))

    async def test() -> None:
        async with served(venue, TERMS) as port:
            await venue.move_to(OPEN + MINUTE + SECOND)
            client = client_on(port)
            feed = feed_on(port, client, venue, told)
            feed.start()
            try:
                await told.until(lambda: len(told.of(StreamConnected)) == 2)
                at_first = len(told.of(StreamConnected))
                feed.follow((one,))
                await told.until(lambda: quoted(one) > 1, 15 * SECOND)
                feed.follow((one, other))
                await told.until(lambda: quoted(other) > 1, 15 * SECOND)
                await admin(port, "POST", "/streams", {"type": "reset"})
                before = quoted(one), quoted(other)
                await told.until(
                    lambda: quoted(one) > before[0] + 1 and quoted(other) > before[1] + 1,
                    15 * SECOND,
                )
                feed.follow((other,))
                await asyncio.sleep(0.3)  # for the word to be heard
                left = quoted(one)
                more = quoted(other)
                await told.until(lambda: quoted(other) > more + 2, 15 * SECOND)
            finally:
                assert await asyncio.to_thread(feed.stop, PATIENCE_S)
                client.close()
            assert at_first == 2
            assert quoted(one) == left

    in_loop(test)


def test_what_is_not_wanted_any_more_makes_room_for_what_is_i45_i47() -> None:
    """The plan has two hundred contracts: those before and those after would be more."""
    venue = venue_on(*rising("HYDR", 90), *rising("BTC/USD", 90))
    basic = structs.replace(TERMS, rest=structs.replace(FREE, plan=DataPlan.BASIC))
    told = Told(venue)
    before = tuple(f"HYDR260206C{strike:05}000" for strike in range(10, 160))
    after = tuple(f"HYDR260206P{strike:05}000" for strike in range(10, 160))

    async def test() -> None:
        async with served(venue, basic) as port:
            await venue.move_to(OPEN + MINUTE + SECOND)
            client = client_on(port)
            feed = feed_on(port, client, venue, told)
            feed.start()
            try:
                for wanted in (before, after):
                    feed.follow(wanted)
                    await told.until(
                        lambda: feed.is_settled or bool(told.of(StreamLost)), 15 * SECOND
                    )
            finally:
                assert await asyncio.to_thread(feed.stop, PATIENCE_S)
                client.close()

    in_loop(test)
    assert [each.reason for each in told.of(StreamLost) if each.is_refused] == []
