"""Bars, quotes and chains over REST: whole, in time order, and nothing that has not ended."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from time import monotonic, monotonic_ns
from typing import Any

import pytest
from msgspec import structs

from hydra.settings.secret import Secret
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.option_symbols import Right
from hydra.trading.quotes import Quote
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.http import HttpClient, Keys
from hydra.venues.alpaca.market_rest import (
    ONE_MINUTE,
    MarketReads,
    StockFeed,
    read_bars_page,
    read_latest_quotes,
)
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.options import (
    ChainBounds,
    ChainEntry,
    Contract,
    Greeks,
    OptionFeed,
    OptionReads,
    read_chain_page,
    read_contracts_page,
)
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.alpaca.times import nanoseconds
from tests.venues.alpaca.fake_alpaca import Answer, Broker, FakeAlpaca, Received, Reply, fake_alpaca
from tests.venues.alpaca.vectors import payload

START = nanoseconds("2026-11-23T14:30:00Z")
NOW = START + 10 * MINUTE
CALL = "HYDR261218C00042500"
FAR = "HYDR261218C00060000"
DECEMBER = ChainBounds(first=date(2026, 12, 1), last=date(2026, 12, 31))


@contextmanager
def reads(answer: Broker, now: int = NOW) -> Iterator[tuple[MarketReads, OptionReads, FakeAlpaca]]:
    with fake_alpaca(answer) as broker:
        keys = Keys(Secret("HYDRA-a-key"), Secret("a-secret"))
        calls = Calls(
            HttpClient(broker.url, keys, Network(loopback_only=True)),
            Shares(),
            minutes_by=monotonic_ns,
            market_time=lambda: now,
            ended=lambda _: None,
        )
        market = MarketReads(calls, StockFeed.IEX, lambda: now)
        try:
            yield market, OptionReads(calls, calls, OptionFeed.INDICATIVE), broker
        finally:
            calls.close()


def soon() -> float:
    return monotonic() + 5.0


def row(minute: int, close: float = 41.29, **changes: Any) -> dict[str, Any]:
    at = f"2026-11-23T14:{30 + minute}:00Z"
    fields = {"t": at, "o": 41.2, "h": 41.33, "l": 41.18, "c": close, "v": 8412, "n": 97}
    return fields | changes


def bar(symbol: str, minute: int, close: float = 41.29) -> Bar:
    at = START + minute * MINUTE
    return Bar(symbol, at, at + MINUTE, 41.2, 41.33, 41.18, close, 8412.0)


def test_bars_are_read_from_all_pages_and_put_together_by_symbol() -> None:
    pages = {
        None: {"bars": {"HYDR": [row(0)]}, "next_page_token": "two"},
        "two": {"bars": {"HYDR": [row(1, 41.25)]}, "next_page_token": "three"},
        "three": {"bars": {}, "next_page_token": "four"},
        "four": {"bars": {"NOVA": [row(0)]}, "next_page_token": None},
    }
    with reads(lambda request: Reply(200, pages[request.query.get("page_token")])) as world:
        market, _, broker = world
        bars = market.stock_bars(["HYDR", "NOVA"], ONE_MINUTE, START, NOW, soon())

    assert bars == {"HYDR": (bar("HYDR", 0), bar("HYDR", 1, 41.25)), "NOVA": (bar("NOVA", 0),)}
    assert str(broker.received[0]) == "GET /v2/stocks/bars"
    assert broker.received[0].query == {
        "feed": "iex",
        "adjustment": "raw",
        "symbols": "HYDR,NOVA",
        "timeframe": "1Min",
        "start": "2026-11-23T14:30:00.000000000Z",
        "end": "2026-11-23T14:40:00.000000000Z",
        "limit": "10000",
        "sort": "asc",
    }


@pytest.mark.parametrize(("after_start_s", "bars"), [(61, 0), (62, 1), (121, 1), (122, 2)])
def test_a_bar_that_may_not_have_ended_by_the_broker_s_clock_is_left_out_i46_i48(
    after_start_s: int, bars: int
) -> None:
    page = {"bars": {"HYDR": [row(0), row(1)]}, "next_page_token": None}
    with reads(lambda _: Reply(200, page), START + after_start_s * SECOND) as world:
        found = world[0].stock_bars(["HYDR"], ONE_MINUTE, START, NOW, soon())

    assert len(found["HYDR"]) == bars


BAD_PAGES: list[Answer] = [
    Reply(200, {"bars": {"HYDR": [row(0, o="41")]}, "next_page_token": None}),
    Reply(200, {"bars": {"HYDR": [row(0, t="yesterday")]}, "next_page_token": None}),
    Reply(200, {"bars": {"HYDR": [row(1), row(0)]}, "next_page_token": None}),
    Reply(200, {"bars": {"HYDR": [row(0), row(0)]}, "next_page_token": None}),
    Reply(200, {"bars": {"HYDR": [row(0)]}, "next_page_token": "again"}),
    Reply(200, {"other": {}}),
    Reply(500),
    Reply(403, {"message": "subscription does not permit querying recent SIP data"}),
]


@pytest.mark.parametrize("answer", BAD_PAGES)
def test_what_cannot_be_read_whole_is_a_failure(answer: Answer) -> None:
    with reads(lambda _: answer) as world, pytest.raises(ReadFailed):
        world[0].stock_bars(["HYDR"], ONE_MINUTE, START, NOW, soon())


NO_BARS = [{}, {"bars": {}}, {"bars": None}, {"bars": None, "currency": "USD"}]


@pytest.mark.parametrize("page", [*NO_BARS, {"bars": {"HYDR": None}}])
@pytest.mark.parametrize("token", [{}, {"next_page_token": None}])
def test_no_bars_are_no_failure_however_they_are_left_out(
    page: dict[str, Any], token: dict[str, None]
) -> None:
    with reads(lambda _: Reply(200, page | token)) as world:
        found = world[0].stock_bars(["HYDR"], ONE_MINUTE, START, NOW, soon())

    assert not found.get("HYDR")


@pytest.mark.parametrize("body", [{}, {"quotes": None}, {"quotes": {"HYDR": None}}])
def test_no_quote_is_no_failure_however_it_is_left_out(body: dict[str, Any]) -> None:
    with reads(lambda _: Reply(200, body)) as world:
        assert world[0].stock_quotes(["HYDR"], soon()) == {}


@pytest.mark.parametrize("body", [{}, {"snapshots": None}, {"snapshots": {CALL: None}}])
def test_no_contract_shown_is_no_failure_however_it_is_left_out(body: dict[str, Any]) -> None:
    with reads(lambda _: Reply(200, body)) as world:
        assert world[1].chain("HYDR", DECEMBER, soon()) == ()


@pytest.mark.parametrize("body", [{}, {"option_contracts": None}, {"option_contracts": []}])
def test_no_contract_listed_is_no_failure_however_it_is_left_out(body: dict[str, Any]) -> None:
    with reads(lambda _: Reply(200, body)) as world:
        found = world[1].contracts("HYDR", DECEMBER, soon())

    assert (found.contracts, found.unread) == ((), ())


def test_coins_have_a_path_of_their_own_and_quiet_minutes() -> None:
    body = payload("crypto_bars")["response"]["body"]
    with reads(lambda _: Reply(200, body)) as world:
        bars = world[0].coin_bars(["BTC/USD"], ONE_MINUTE, START, NOW, soon())

    assert [each.volume for each in bars["BTC/USD"]] == [0.31377, 0.0]
    assert str(world[2].received[0]) == "GET /v1beta3/crypto/us/bars"
    assert world[2].received[0].query["symbols"] == "BTC/USD"


def test_the_newest_quote_is_told_with_its_own_time() -> None:
    quotes = payload("stock_latest_quote")["response"]["body"]
    coins = payload("crypto_latest_quote")["response"]["body"]

    def answer(request: Received) -> Answer:
        return Reply(200, coins if "crypto" in request.path else quotes)

    with reads(answer) as world:
        market, _, broker = world
        found = market.stock_quotes(["HYDR"], soon())
        coin = market.coin_quotes(["BTC/USD"], soon())

    at = nanoseconds("2026-11-23T14:31:06.952763263Z")
    assert found == {"HYDR": Quote("HYDR", at, 41.26, 41.28, 200.0, 300.0)}
    assert coin["BTC/USD"].ask == 61251.4
    assert broker.received[0].query == {"feed": "iex", "symbols": "HYDR"}


def test_a_chain_has_greeks_where_the_broker_gives_them() -> None:
    body = payload("option_chain")["response"]["body"]
    with reads(lambda _: Reply(200, body)) as world:
        _, options, broker = world
        chain = options.chain("HYDR", DECEMBER, soon())

    assert chain == (
        ChainEntry(
            symbol=CALL,
            quote=Quote(CALL, nanoseconds("2026-11-23T14:31:05.118046330Z"), 1.4, 1.44, 21.0, 37.0),
            greeks=Greeks(delta=0.4613, gamma=0.0712, theta=-0.0304, vega=0.0438, rho=0.0126),
            implied_volatility=0.3127,
        ),
        ChainEntry(
            symbol=FAR,
            quote=Quote(FAR, nanoseconds("2026-11-23T14:30:05.118046330Z"), 0.0, 0.05, 0.0, 90.0),
            greeks=None,
            implied_volatility=None,
        ),
    )
    assert broker.received[0].query == {
        "feed": "indicative",
        "expiration_date_gte": "2026-12-01",
        "expiration_date_lte": "2026-12-31",
        "limit": "1000",
    }


@pytest.mark.parametrize("lacking", ["delta", "gamma", "theta", "vega", "rho"])
def test_greeks_that_lack_one_are_none(lacking: str) -> None:
    greeks = dict.fromkeys({"delta", "gamma", "theta", "vega", "rho"} - {lacking}, 0.5)
    body = {"snapshots": {CALL: {"greeks": greeks}}, "next_page_token": None}
    with reads(lambda _: Reply(200, body)) as world:
        (entry,) = world[1].chain("HYDR", DECEMBER, soon())

    assert entry == ChainEntry(symbol=CALL, quote=None, greeks=None, implied_volatility=None)


def test_contracts_are_read_with_both_dates_and_exact_strikes() -> None:
    body = payload("option_contracts")["response"]["body"] | {"next_page_token": None}
    with reads(lambda _: Reply(200, body)) as world:
        _, options, broker = world
        contracts = options.contracts("HYDR", DECEMBER, soon()).contracts

    assert [contract.symbol for contract in contracts] == sorted(
        row["symbol"] for row in body["option_contracts"]
    )
    first = contracts[0]
    assert isinstance(first, Contract)
    assert (first.right, first.strike, first.multiplier) == (
        Right.CALL,
        Decimal("42.5"),
        Decimal(100),
    )
    assert {"expiration_date_gte", "expiration_date_lte"} <= set(broker.received[0].query)


def test_a_chain_is_asked_for_by_right_and_strikes_too() -> None:
    body: dict[str, Any] = {"snapshots": {}, "option_contracts": [], "next_page_token": None}
    bounds = structs.replace(
        DECEMBER, right=Right.PUT, strike_from=Decimal("80.00"), strike_to=Decimal("1E+2")
    )
    with reads(lambda _: Reply(200, body)) as world:
        _, options, broker = world
        options.chain("HYDR", bounds, soon())
        options.contracts("HYDR", bounds, soon())

    for asked in broker.received:
        assert (asked.query["type"], asked.query["strike_price_gte"]) == ("put", "80.00")
        assert asked.query["strike_price_lte"] == "100"


ODD_CONTRACTS: list[dict[str, Any]] = [
    {"type": "straddle"},
    {"multiplier": None},
    {"multiplier": "0"},
    {"strike_price": None},
    {"strike_price": "sNaN"},
    {"open_interest": "-1"},
    {"expiration_date": "soon"},
    {"tradable": "yes"},
]


@pytest.mark.parametrize("change", ODD_CONTRACTS)
def test_a_contract_that_cannot_be_read_costs_no_other_and_is_named(change: dict[str, Any]) -> None:
    body = payload("option_contracts")["response"]["body"] | {"next_page_token": None}
    odd, *others = body["option_contracts"]
    with reads(lambda _: Reply(200, body | {"option_contracts": [odd | change, *others]})) as world:
        found = world[1].contracts("HYDR", DECEMBER, soon())

    assert [each.symbol for each in found.contracts] == sorted(each["symbol"] for each in others)
    (unread,) = found.unread
    assert (unread.symbol, unread.rule) == (odd["symbol"], "is_read")
    assert unread.reason


def test_a_contract_that_is_read_once_and_once_not_is_none_and_one_may_have_no_name() -> None:
    body = payload("option_contracts")["response"]["body"] | {"next_page_token": None}
    first = body["option_contracts"][0]
    rows = [first, first | {"strike_price": None}, {"symbol": None}, "what?"]
    with reads(lambda _: Reply(200, body | {"option_contracts": rows})) as world:
        found = world[1].contracts("HYDR", DECEMBER, soon())

    assert found.contracts == ()
    assert [each.symbol for each in found.unread] == [first["symbol"], "?", "?"]


def test_a_contract_that_is_perhaps_not_tradable_is_not() -> None:
    body = payload("option_contracts")["response"]["body"] | {"next_page_token": None}
    rows = [each | {"tradable": None} for each in body["option_contracts"]]
    with reads(lambda _: Reply(200, body | {"option_contracts": rows})) as world:
        found = world[1].contracts("HYDR", DECEMBER, soon())

    assert found.contracts and not any(each.tradable for each in found.contracts)


@pytest.mark.parametrize(
    "odd",
    [
        {"latestQuote": {"t": "2026-11-23T14:30:00Z", "bp": 1, "bs": 1, "ap": None, "as": 0}},
        {"latestQuote": {"bp": 1, "bs": 1, "ap": 2, "as": 0}},
        {"latestQuote": {"t": "soon", "bp": 1, "bs": 1, "ap": 2, "as": 0}},
        {"greeks": {"delta": "half"}},
        {"impliedVolatility": "high"},
    ],
)
def test_what_is_shown_oddly_of_one_contract_costs_no_other(odd: dict[str, Any]) -> None:
    body = payload("option_chain")["response"]["body"] | {"next_page_token": None}
    shown = body["snapshots"]
    with reads(lambda _: Reply(200, body | {"snapshots": shown | {CALL: shown[CALL] | odd}})) as (
        _,
        options,
        _,
    ):
        chain = options.chain("HYDR", DECEMBER, soon())

    assert [entry.symbol for entry in chain] == [FAR]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("stock_bars_page1", read_bars_page),
        ("stock_bars_page2", read_bars_page),
        ("crypto_bars", read_bars_page),
        ("option_bars", read_bars_page),
        ("stock_latest_quote", read_latest_quotes),
        ("crypto_latest_quote", read_latest_quotes),
        ("option_latest_quote", read_latest_quotes),
        ("option_chain", read_chain_page),
        ("option_snapshots", read_chain_page),
        ("option_contracts", read_contracts_page),
    ],
)
def test_every_recorded_page_of_data_is_read(name: str, read: Any) -> None:
    read(json.dumps(payload(name)["response"]["body"]).encode())
