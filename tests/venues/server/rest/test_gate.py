"""Who gets in, and what every answer bears."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from hydra.venues.simulated.server.rest.gate import Gate
from hydra.venues.simulated.server.rest.keys import ApiKeys
from hydra.venues.simulated.server.rest.settings import RestTerms
from tests.venues.server.rest.asgi import Answer
from tests.venues.server.rest.stage import KEY_PAIR, Stage

NO_KEYS = {"apca-api-key-id": "", "apca-api-secret-key": ""}
PLACES = "/v2/orders", "/v2/account", "/v2/stocks/bars", "/nowhere"


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("headers", [{}, NO_KEYS, {"host": "elsewhere.example"}])
def test_every_answer_says_that_it_is_not_real_and_has_a_name(
    stage: Stage, path: str, headers: dict[str, str]
) -> None:
    first, second = (stage.ask("GET", path, headers=headers) for _ in range(2))

    assert first.headers["x-hydra-venue"] == "embedded; not real money, not real prices"
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "LOCALHOST", "[::1]", "[::1]:8080"]
)
def test_this_machine_has_several_names(stage: Stage, host: str) -> None:
    assert stage.ask("GET", "/v2/clock", headers={"host": host}).status == 200


@pytest.mark.parametrize(
    "host",
    ["", "api.alpaca.markets", "127.0.0.1.evil.example", "localhost:", "localhost:80x", "10.0.0.1"],
)
def test_what_is_addressed_elsewhere_is_forbidden_whatever_keys_it_has(
    stage: Stage, host: str
) -> None:
    answer = stage.ask("GET", "/v2/clock", headers={"host": host})

    assert (answer.status, answer.json) == (403, {"message": "forbidden."})


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        ("127.0.0.1:8080", ["let in"]),
        ("elsewhere.example", ["websocket.close"]),
    ],
)
def test_a_stream_that_is_addressed_elsewhere_is_not_opened(host: str, sent: list[str]) -> None:
    async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "let in"})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        messages.append(message["type"])

    messages: list[str] = []
    gate = Gate(stream, keys=KEY_PAIR, terms=RestTerms(), now=lambda: 0)
    scope = {"type": "websocket", "path": "/stream", "headers": [(b"host", host.encode())]}

    asyncio.run(gate(scope, receive, send))

    assert messages == sent


@pytest.mark.parametrize(
    "headers",
    [
        {"apca-api-secret-key": "another"},
        {"apca-api-key-id": "PK0001"},
        {"apca-api-secret-key": ""},
        {"apca-api-key-id": ""},
        {"apca-api-key-id": "HYDRA0001\x1fa", "apca-api-secret-key": "secret"},
        {"apca-api-secret-key": "a secret\xff"},
    ],
)
@pytest.mark.parametrize("path", [*PLACES, "/v1beta3/crypto/us/latest/bars"])
def test_a_wrong_key_opens_nothing(stage: Stage, path: str, headers: dict[str, str]) -> None:
    answer = stage.ask("GET", path, headers=headers)

    assert (answer.status, answer.json) == (401, {"message": "unauthorized."})


def test_coins_data_need_no_key(stage: Stage) -> None:
    path, query = "/v1beta3/crypto/us/latest/bars", {"symbols": "BTC/USD"}

    assert stage.ask("GET", path, query, headers=NO_KEYS).status == 200
    assert stage.ask("GET", "/v2/stocks/bars/latest", query, headers=NO_KEYS).status == 401


def test_keys_are_not_shown_i83() -> None:
    assert "a secret" not in repr(KEY_PAIR)
    assert ApiKeys("id", "secret").fit("id", "secret")


def test_unknown_paths_wrong_verbs_and_long_bodies_have_the_shape_of_their_plane(
    stage: Stage,
) -> None:
    long = b'"' + b"x" * (1 << 20) + b'"'

    def said(answer: Answer) -> tuple[int, object]:
        return answer.status, answer.json

    assert said(stage.ask("GET", "/v2/nothing")) == (
        404,
        {"code": 40410000, "message": "endpoint not found"},
    )
    assert said(stage.ask("GET", "/v2/orders/")) == (
        404,
        {"code": 40410000, "message": "endpoint not found"},
    )
    assert said(stage.ask("GET", "/v2/stocks/nothing")) == (404, {"message": "endpoint not found"})
    assert said(stage.ask("PUT", "/v2/orders")) == (
        405,
        {"code": 40510000, "message": "method not allowed"},
    )
    assert said(stage.ask("POST", "/v2/stocks/bars")) == (405, {"message": "method not allowed"})
    assert said(stage.ask("POST", "/v2/orders", content=long)) == (
        413,
        {"code": 41310000, "message": "request body is too large"},
    )


def test_a_bad_body_does_not_reach_the_venue(stage: Stage) -> None:
    answer = stage.ask("POST", "/v2/orders", content=b"{")

    assert (answer.status, answer.json["code"]) == (400, 40010000)
    assert stage.venue.requests_seen == 0


def test_the_budgets_of_trading_and_data_are_apart_and_last_a_minute() -> None:
    stage = Stage(rest=RestTerms(trading_per_minute=2, data_per_minute=1))
    asked = ["/v2/clock", "/v2/clock", "/v2/clock", "/v2/stocks/bars/latest?symbols=HYDR"]
    query = {"symbols": "HYDR"}

    answers = [stage.ask("GET", path.partition("?")[0], query) for path in asked]
    stage.come_to("2026-11-23T14:32:00Z")
    later = stage.ask("GET", "/v2/clock")

    assert [answer.status for answer in answers] == [200, 200, 429, 200]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0", "0"]
    assert answers[0].headers["x-ratelimit-limit"] == "2"
    assert answers[0].headers["x-ratelimit-reset"] == "1795444320"
    assert later.status == 200


def test_two_hundred_in_a_minute_is_what_there_is_unless_said_otherwise() -> None:
    stage, query = Stage(rest=RestTerms()), {"symbols": "HYDR"}
    paths = ("/v2/clock", "/v2/stocks/bars/latest")

    limits = [stage.ask("GET", path, query).headers["x-ratelimit-limit"] for path in paths]

    assert limits == ["200", "200"]


def test_what_is_not_let_in_costs_nothing() -> None:
    stage = Stage(rest=RestTerms(trading_per_minute=1))

    stage.ask("GET", "/v2/clock", headers=NO_KEYS)

    assert stage.ask("GET", "/v2/clock").headers["x-ratelimit-remaining"] == "0"


def test_the_limit_can_be_switched_off() -> None:
    stage = Stage(rest=RestTerms(trading_per_minute=None))

    answers = [stage.ask("GET", "/v2/clock") for _ in range(300)]

    assert {answer.status for answer in answers} == {200}
    assert "x-ratelimit-limit" not in answers[0].headers


@pytest.mark.parametrize("name", ["BTCUSD", "BTC%2FUSD", "BTC%2fUSD", "BTC/USD"])
def test_a_pair_is_found_by_all_its_spellings(stage: Stage, name: str) -> None:
    assert stage.ask("GET", f"/v2/assets/{name}").json["symbol"] == "BTC/USD"


def test_an_asset_is_found_by_its_id(stage: Stage) -> None:
    asset = stage.ask("GET", "/v2/assets/HYDR").json

    assert stage.ask("GET", f"/v2/assets/{asset['id']}").json == asset


def test_a_position_has_no_raw_slash_in_its_path(stage: Stage) -> None:
    stage.buy("BTC/USD", "0.0125")

    found = [stage.ask("GET", f"/v2/positions/{name}").status for name in SPELLINGS]

    assert found == [200, 200, 404]


SPELLINGS = ("BTCUSD", "BTC%2FUSD", "BTC/USD")


def test_a_crash_is_answered_as_the_broker_does_and_not_hidden(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.venue, "receive", broken)

    answer = stage.ask("DELETE", "/v2/orders", crashes_with=ZeroDivisionError)

    assert (answer.status, answer.json) == (
        500,
        {"code": 50010000, "message": "internal server error"},
    )
    assert "x-hydra-venue" in answer.headers


def broken(_request: object) -> None:
    raise ZeroDivisionError
