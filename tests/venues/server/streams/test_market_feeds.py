"""What the market-data streams tell while the market happens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from hydra.venues.simulated.brokerage.acts import HaltSymbol, ResumeSymbol
from hydra.venues.simulated.market.rows import PageQuery
from hydra.venues.simulated.server.driver import LocalVenue
from tests.venues.server.clients import StreamClient, admin, data_stream
from tests.venues.server.kit import (
    MINUTE,
    OPEN,
    SECOND,
    QuietBrokerage,
    bar,
    in_loop,
    rising,
    served,
    venue_on,
)
from tests.venues.server.rest.shapes import differences
from tests.venues.server.rest.vectors import needs_vectors, vector

STOCKS, CRYPTO, OPTIONS = "/v2/iex", "/v1beta3/crypto/us", "/v1beta1/indicative"
QUARTER = MINUTE // 4
BAR = bar("HYDR", 0, 41.29, 41.30, 41.22, 41.27, volume=5120.0)


def quiet(*bars: Any) -> LocalVenue:
    return venue_on(*bars, brokerage=QuietBrokerage())


def plain(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Times as nanoseconds since the open, where they are msgpack's."""
    return [
        {
            name: value.to_unix_nano() - OPEN if name == "t" else value
            for name, value in message.items()
        }
        for message in messages
    ]


async def until(client: StreamClient, count: int) -> list[dict[str, Any]]:
    return plain(await client.messages(count))


def test_a_bar_is_told_as_trades_and_quotes_in_its_quarters_and_whole_at_its_end() -> None:
    venue = quiet(BAR)

    async def test() -> list[dict[str, Any]]:
        async with (
            served(venue) as port,
            data_stream(
                port, STOCKS, trades=["HYDR"], quotes=["*"], bars=["HYDR"], dailyBars=["HYDR"]
            ) as client,
        ):
            await venue.move_to(BAR.end_at)
            return await until(client, 10)

    messages = in_loop(test)

    assert [(message["T"], message["t"]) for message in messages] == [
        *((what, quarter * QUARTER) for quarter in range(4) for what in "qt"),
        ("b", 0),
        ("d", -(14 * 60 + 30 - 5 * 60) * MINUTE),
    ]
    assert [message["p"] for message in messages if message["T"] == "t"] == [
        41.29, 41.30, 41.22, 41.27,
    ]  # fmt: skip
    assert messages[0] == {
        "T": "q", "S": "HYDR", "bx": "V", "bp": 41.28, "bs": 1280, "ax": "V", "ap": 41.30,
        "as": 1280, "c": ["R"], "z": "C", "t": 0,
    }  # fmt: skip
    assert messages[-2] == {
        "T": "b", "S": "HYDR", "o": 41.29, "h": 41.30, "l": 41.22, "c": 41.27, "v": 5120, "n": 4,
        "vw": 41.27, "t": 0,
    }  # fmt: skip


def test_only_what_is_subscribed_is_told() -> None:
    venue = quiet(*rising("HYDR", 2), *rising("NOVA", 2))

    async def test() -> list[dict[str, Any]]:
        async with (
            served(venue) as port,
            data_stream(port, STOCKS, trades=["NOVA"], bars=["HYDR"]) as client,
        ):
            await venue.move_to(OPEN + MINUTE)
            await client.send({"action": "unsubscribe", "trades": ["NOVA"]})
            messages = await client.messages(6 + 1)
            await venue.move_to(OPEN + 2 * MINUTE)
            return [*messages, *await client.messages(1)]

    messages = in_loop(test)

    assert [(message["T"], message.get("S")) for message in messages] == [
        *[("t", "NOVA")] * 4, ("b", "HYDR"), ("t", "NOVA"), ("subscription", None), ("b", "HYDR"),
    ]  # fmt: skip


@needs_vectors
@pytest.mark.parametrize(
    ("name", "path", "symbol"),
    [("ws_stock_trade_quote_batch", STOCKS, "HYDR"), ("ws_stock_bars", STOCKS, "HYDR"),
     ("ws_crypto", CRYPTO, "BTC/USD")],
)  # fmt: skip
@pytest.mark.parametrize("is_msgpack", [True, False])
def test_messages_look_as_in_the_examples(
    name: str, path: str, symbol: str, is_msgpack: bool
) -> None:
    wanted = {
        message["T"]: message
        for frame in vector(name)["frames"]
        for message in frame["msg"]
        if message["T"] != "u"  # told by hand alone: see tests/venues/server/faults
    }
    venue = quiet(bar(symbol, 0, 61230.1, 61260.0, 61221.5, 61248.25, volume=0.31377))
    channels = {
        STOCKS: ("trades", "quotes", "bars", "dailyBars"),
        CRYPTO: ("trades", "quotes", "bars"),
    }

    async def test() -> list[dict[str, Any]]:
        subscribed = {key: [symbol] for key in channels[path]}
        async with (
            served(venue) as port,
            data_stream(port, path, is_msgpack=is_msgpack, **subscribed) as client,
        ):
            await venue.move_to(OPEN + MINUTE)
            return await client.messages(8 + len(channels[path]) - 2)

    messages = in_loop(test)

    for message in messages:
        assert next(iter(message)) == "T"
        if is_msgpack:
            message["t"] = "2026-01-05T14:30:00Z"
        if message["T"] in wanted:
            assert list(differences(wanted[message["T"]], message)) == []
    assert {message["T"] for message in messages} >= wanted.keys() - {"o"}


@needs_vectors
def test_a_coins_book_is_told_whole_at_first_and_then_what_changes() -> None:
    whole, change = [frame["msg"][0] for frame in vector("ws_crypto")["frames"][-2:]]
    venue = quiet(bar("BTC/USD", 0, 100.0, 101.0, 99.0, 100.5), bar("BTC/USD", 1, *[100.5] * 4))

    async def test() -> list[dict[str, Any]]:
        async with served(venue) as port:
            await venue.move_to(OPEN + SECOND)
            async with data_stream(port, CRYPTO, is_msgpack=False) as client:
                (answer,) = await client.ask({"action": "subscribe", "orderbooks": ["*"]})
                assert answer["orderbooks"] == ["*"]
                await venue.move_to(OPEN + MINUTE + SECOND)
                return await client.messages(4)

    first, *others = in_loop(test)

    assert list(differences(whole, first)) == []
    assert [book["t"] for book in (first, *others)] == [
        "2026-01-05T14:30:00Z", "2026-01-05T14:30:15Z", "2026-01-05T14:30:30Z",
        "2026-01-05T14:30:45Z",
    ]  # fmt: skip
    for book in others:
        assert book.keys() == change.keys()
    shown = {side: {level["p"]: level["s"] for level in first[side]} for side in "ab"}
    for book in others:
        for side in "ab":
            shown[side].update({level["p"]: level["s"] for level in book[side]})
    standing = {
        side: sorted(price for price, size in levels.items() if size)
        for side, levels in shown.items()
    }
    last = venue.tape.history.order_book("BTC/USD", venue.now())
    assert last is not None
    assert standing == {
        "a": sorted(price for price, _ in last.asks),
        "b": sorted(price for price, _ in last.bids),
    }


@needs_vectors
def test_option_quotes_move_with_their_underlying() -> None:
    venue = quiet(*rising("HYDR", 2, first=41.0))
    wanted = [frame["msg"][0] for frame in vector("ws_option")["frames"]]
    symbol = "HYDR260116C00041000"
    whole = PageQuery(symbols=(symbol,), start=OPEN, end=OPEN + 2 * MINUTE)
    trades = venue.tape.history.trades(whole, OPEN + 2 * MINUTE).rows

    async def test() -> list[dict[str, Any]]:
        async with (
            served(venue) as port,
            data_stream(port, OPTIONS, quotes=[symbol], trades=[symbol]) as client,
        ):
            await venue.move_to(OPEN + 2 * MINUTE)
            return await client.messages(8 + len(trades))

    messages = in_loop(test)

    told = {what: [each for each in messages if each["T"] == what] for what in "tq"}
    assert trades
    assert [each["t"].to_unix_nano() for each in told["t"]] == [trade.at for trade in trades]
    assert [each["t"].to_unix_nano() - OPEN for each in told["q"]] == [
        number * QUARTER for number in range(8)
    ]
    for example in wanted:
        for found in told[example["T"]]:
            assert list(differences({**example, "t": ""}, {**found, "t": ""})) == []


@needs_vectors
def test_halt_and_resumption_are_told_and_nothing_else_of_the_symbol_between_them() -> None:
    wanted = [frame["msg"][0] for frame in vector("ws_stock_status_halt_resume")["frames"][:2]]
    venue = quiet(*rising("HYDR", 4))

    async def test() -> list[dict[str, Any]]:
        async with (
            served(venue) as port,
            data_stream(
                port, STOCKS, is_msgpack=False, statuses=["HYDR"], bars=["HYDR"], trades=["HYDR"]
            ) as client,
        ):
            await venue.move_to(OPEN + 30 * SECOND)
            venue.act(HaltSymbol("HYDR"))
            await venue.move_to(OPEN + 2 * MINUTE + SECOND)
            venue.act(ResumeSymbol("HYDR"))
            await venue.move_to(OPEN + 2 * MINUTE + 20 * SECOND)
            return await client.messages(3 + 2 + 1)

    messages = in_loop(test)

    assert [message["T"] for message in messages] == ["t", "t", "t", "s", "s", "t"]
    for found, example in zip(messages[3:5], wanted, strict=True):
        assert {**found, "t": ""} == {**example, "t": ""}


def test_the_delayed_feed_tells_the_same_a_quarter_of_an_hour_later() -> None:
    venue = quiet(*rising("HYDR", 20))

    async def test() -> list[dict[str, Any]]:
        async with (
            served(venue) as port,
            data_stream(port, "/v2/delayed_sip", bars=["HYDR"]) as client,
        ):
            await venue.move_to(OPEN + 15 * MINUTE)
            assert await client.is_silent()
            await venue.move_to(OPEN + 18 * MINUTE)
            return await until(client, 3)

    assert [message["t"] for message in in_loop(test)] == [0, MINUTE, 2 * MINUTE]


def test_the_test_feed_has_a_symbol_that_always_trades() -> None:
    venue = quiet(BAR)

    async def test() -> list[dict[str, Any]]:
        async with served(venue) as port:
            await venue.move_to(OPEN + 5 * 60 * MINUTE + MINUTE)  # long after the last bar
            async with data_stream(
                port, "/v2/test", trades=["FAKEPACA"], quotes=["FAKEPACA"], bars=["*"]
            ) as client:
                await venue.move_to(venue.now() + MINUTE)
                return await client.messages(2 * 60 + 1)

    messages = in_loop(test)

    assert {message["S"] for message in messages} == {"FAKEPACA"}
    assert [message["T"] for message in messages[-3:]] == ["t", "q", "b"]


def test_what_waits_goes_out_in_one_frame() -> None:
    venue = quiet(*rising("HYDR", 30))

    async def test() -> list[int]:
        async with served(venue) as port, data_stream(port, STOCKS, trades=["*"]) as client:
            venue.come_to(OPEN + 30 * MINUTE)
            return [len(await client.receive()), len(await client.receive())]

    assert in_loop(test) == [100, 20]


@needs_vectors
def test_what_does_not_happen_by_itself_can_be_told_by_hand() -> None:
    examples = [
        message
        for name in ("ws_stock_luld_correction_cancel", "ws_stock_status_halt_resume")
        for frame in vector(name)["frames"]
        for message in frame["msg"]
    ]
    examples.append(vector("ws_stock_bars")["frames"][1]["msg"][0])
    channels = ("trades", "updatedBars", "lulds", "statuses", "imbalances")

    async def test() -> list[dict[str, Any]]:
        async with (
            served(quiet(BAR)) as port,
            data_stream(
                port, "/v2/sip", is_msgpack=False, **{key: ["*"] for key in channels}
            ) as client,
        ):
            for example in examples:
                order = {"kind": "stocks", "path": "/v2/sip", "message": example}
                assert await admin(port, "POST", "/messages", order) == {"told": 1}
            return await client.messages(len(examples))

    told = in_loop(test)

    assert [{**message, "t": ""} for message in told] == [
        {**example, "t": ""} for example in examples
    ]
    assert [next(iter(message)) for message in told] == ["T"] * len(told)


@needs_vectors
def test_news_are_told_to_who_wants_one_of_their_symbols() -> None:
    (frame,) = vector("ws_news")["frames"]
    (example,) = frame["msg"]

    async def test() -> list[Any]:
        async with (
            served(quiet(BAR)) as port,
            data_stream(port, "/v1beta1/news", is_msgpack=False, news=["HYDR"]) as client,
        ):
            other = {**example, "symbols": ["NOVA"]}
            told = [
                await admin(port, "POST", "/messages", {"kind": "news", "message": message})
                for message in (other, example)
            ]
            return [told, await client.receive()]

    assert in_loop(test) == [[{"told": 0}, {"told": 1}], [example]]
