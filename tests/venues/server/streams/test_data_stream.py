"""Sessions on the market-data streams: handshake, subscriptions and errors."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from hydra.venues.simulated.server.rest.settings import RestTerms
from tests.venues.server.clients import AUTH, data_stream, http, stream
from tests.venues.server.kit import (
    HEADERS,
    KEYS,
    TERMS,
    QuietBrokerage,
    in_loop,
    rising,
    served,
    venue_on,
)
from tests.venues.server.rest.vectors import needs_vectors, vector

IEX, CRYPTO, OPTIONS, NEWS = "/v2/iex", "/v1beta3/crypto/us", "/v1beta1/indicative", "/v1beta1/news"
BASIC = replace(TERMS, rest=RestTerms())
IMPATIENT = replace(TERMS, authentication_s=0.05)
THIRTY_ONE = [f"S{chr(ord('A') + number % 26)}{number // 26}" for number in range(31)]
CONNECTED = [{"T": "success", "msg": "connected"}]
AUTHENTICATED = [{"T": "success", "msg": "authenticated"}]


def quiet_venue() -> Any:
    return venue_on(*rising("HYDR", 1), brokerage=QuietBrokerage())


def error(code: int) -> list[dict[str, Any]]:
    """As the example of that code has it."""
    (frame,) = vector(f"ws_data_error_{code}")["frames"]
    message: list[dict[str, Any]] = frame["msg"]
    return message


@needs_vectors
@pytest.mark.parametrize("is_msgpack", [True, False])
def test_a_session_goes_as_in_the_example(is_msgpack: bool) -> None:
    frames = vector("ws_data_session")["frames"]

    async def test() -> list[Any]:
        heard = []
        async with (
            served(quiet_venue()) as port,
            stream(port, IEX, is_msgpack=is_msgpack) as client,
        ):
            for frame in frames:
                if frame["dir"] == "s":
                    heard.append(await client.receive())
                else:
                    is_login = frame["msg"]["action"] == "auth"
                    await client.send(AUTH if is_login else frame["msg"])
        return heard

    assert in_loop(test) == [frame["msg"] for frame in frames if frame["dir"] == "s"]


def test_who_sends_keys_with_the_handshake_needs_no_message() -> None:
    async def test() -> list[Any]:
        async with served(quiet_venue()) as port, stream(port, IEX, headers=HEADERS) as client:
            return [await client.receive(), await client.receive()]

    assert in_loop(test) == [CONNECTED, AUTHENTICATED]


@needs_vectors
@pytest.mark.parametrize(
    ("path", "sent", "code"),
    [
        (IEX, [], 400),
        (IEX, {"action": "dance"}, 400),
        (IEX, {"trades": ["HYDR"]}, 400),
        (IEX, {"action": "subscribe", "trades": "HYDR"}, 400),
        (IEX, {"action": "subscribe", "trades": ["hy dr"]}, 400),
        (CRYPTO, {"action": "subscribe", "trades": ["BTCUSD"]}, 400),
        (IEX, AUTH, 403),
        (IEX, {"action": "subscribe", "orderbooks": ["HYDR"]}, 410),
        (OPTIONS, {"action": "subscribe", "bars": ["HYDR261218C00042500"]}, 410),
        (OPTIONS, {"action": "subscribe", "quotes": ["*"]}, 413),
        (IEX, {"action": "subscribe", "quotes": THIRTY_ONE}, 405),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_and_changes_nothing(path: str, sent: object, code: int) -> None:
    async def test() -> tuple[Any, Any]:
        async with served(quiet_venue(), BASIC) as port, data_stream(port, path) as client:
            return await client.ask(sent), await client.ask({"action": "subscribe"})

    answer, after = in_loop(test)

    assert answer == error(code)
    assert not any(after[0][name] for name in after[0] if name != "T")


@needs_vectors
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"action": "subscribe", "trades": ["HYDR"]}, 401),
        ({"action": "auth", "key": KEYS.key_id, "secret": "another"}, 402),
    ],
)
def test_who_does_not_say_who_it_is_is_sent_away(sent: object, code: int) -> None:
    async def test() -> tuple[Any, int | None]:
        async with served(quiet_venue()) as port, stream(port, IEX) as client:
            await client.receive()
            return await client.ask(sent), await client.close_code()

    assert in_loop(test) == (error(code), 1000)


@needs_vectors
def test_who_says_nothing_in_time_is_sent_away() -> None:
    async def test() -> list[Any]:
        async with served(quiet_venue(), IMPATIENT) as port, stream(port, IEX) as client:
            heard = [await client.receive(), await client.receive()]
            return [*heard, await client.close_code()]

    assert in_loop(test) == [CONNECTED, error(404), 1000]


@needs_vectors
def test_options_are_told_in_msgpack_alone() -> None:
    async def test() -> tuple[Any, int | None]:
        async with (
            served(quiet_venue()) as port,
            stream(port, OPTIONS, is_msgpack=False) as client,
        ):
            return await client.receive(), await client.close_code()

    assert in_loop(test) == (error(412), 1000)


@needs_vectors
@pytest.mark.parametrize("path", ["/v2/sip", "/v1beta1/opra"])
def test_a_feed_that_was_not_paid_for_is_refused(path: str) -> None:
    async def test() -> Any:
        async with served(quiet_venue(), BASIC) as port, stream(port, path) as client:
            await client.receive()
            return await client.ask(AUTH)

    assert in_loop(test) == error(409)


@needs_vectors
def test_there_is_one_place_on_each_feed_until_it_is_left() -> None:
    async def test() -> list[Any]:
        async with served(quiet_venue()) as port:
            async with data_stream(port, IEX):
                async with data_stream(port, CRYPTO):
                    pass  # another feed is another place
                async with stream(port, IEX) as second:
                    await second.receive()
                    refused = await second.ask(AUTH)
                    code = await second.close_code()
            async with data_stream(port, IEX):
                return [refused, code]

    assert in_loop(test) == [error(406), 1000]


def test_subscriptions_add_up_and_a_refused_one_leaves_them_as_they_were() -> None:
    async def test() -> list[Any]:
        async with served(quiet_venue(), BASIC) as port, data_stream(port, IEX) as client:
            return [
                await client.ask({"action": "subscribe", "trades": ["NOVA", "HYDR"]}),
                await client.ask({"action": "subscribe", "trades": ["HYDR"], "lulds": ["*"]}),
                await client.ask({"action": "subscribe", "quotes": ["A", "lower case"]}),
                await client.ask({"action": "unsubscribe", "trades": ["NOVA", "NEVER"]}),
                await client.ask({"action": "subscribe", "imbalances": ["HYDR"]}),
            ]

    first, second, refused, fourth, fifth = [frame[0] for frame in in_loop(test)]

    none: dict[str, Any] = {
        name: [] for name in ("quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds")
    }
    both = {key: ["HYDR", "NOVA"] for key in ("trades", "corrections", "cancelErrors")}
    one = {key: ["HYDR"] for key in both}
    assert first == {"T": "subscription", **none, **both}
    assert second == {"T": "subscription", **none, **both, "lulds": ["*"]}
    assert refused == {"T": "error", "code": 400, "msg": "invalid syntax"}
    assert fourth == {"T": "subscription", **none, **one, "lulds": ["*"]}
    assert fifth == {**fourth, "imbalances": ["HYDR"]}


def test_a_message_in_pieces_is_put_together() -> None:
    message = msgspec.msgpack.encode({"action": "subscribe", "bars": ["HYDR"]})

    async def test() -> Any:
        async with served(quiet_venue()) as port, data_stream(port, IEX) as client:
            await client.connection.send([message[:7], message[7:20], message[20:], b""])
            return await client.receive()

    assert in_loop(test)[0]["bars"] == ["HYDR"]


def test_news_are_acknowledged_as_news() -> None:
    async def test() -> Any:
        async with served(quiet_venue()) as port, data_stream(port, NEWS) as client:
            return await client.ask({"action": "subscribe", "news": ["*"]})

    assert in_loop(test) == [{"T": "subscription", "news": ["*"]}]


@pytest.mark.parametrize(("host", "status"), [("venue.example", 403), ("localhost", 101)])
def test_a_stream_is_opened_by_an_address_of_this_machine_alone(host: str, status: int) -> None:
    async def test() -> int:
        async with served(quiet_venue()) as port:
            answer = await http(
                port,
                "GET",
                IEX,
                headers={
                    "Host": host,
                    "Upgrade": "websocket",
                    "Connection": "Upgrade",
                    "Sec-WebSocket-Key": "aSBhbSBhIHRlc3Qga2V5IQ==",
                    "Sec-WebSocket-Version": "13",
                },
                only_head=True,
            )
            return answer.status

    assert in_loop(test) == status
