"""Market data: pages, plans, and what is not known."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from hydra.venues.simulated.server.rest.settings import DataPlan
from tests.venues.server.rest.stage import CALL, FREE, Stage

LATER = "2026-11-23T14:33:30Z"
BARS = "/v2/stocks/bars"
TODAY = {"symbols": "HYDR,NOVA", "timeframe": "1Min"}


@pytest.fixture
def stage() -> Stage:
    return Stage(now=LATER)


def pages_of(stage: Stage, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
    """All pages, up to the one without a token."""
    pages = [stage.ask("GET", path, query).json]
    while pages[-1]["next_page_token"] is not None:
        token = {"page_token": pages[-1]["next_page_token"]}
        pages.append(stage.ask("GET", path, {**query, **token}).json)
    return pages


def test_pages_together_are_the_whole_and_only_null_ends_them(stage: Stage) -> None:
    whole = stage.ask("GET", BARS, TODAY).json
    pages = pages_of(stage, BARS, {**TODAY, "limit": "2"})

    together: dict[str, list[object]] = {}
    for page in pages:
        for symbol, rows in page["bars"].items():
            together.setdefault(symbol, []).extend(rows)
    assert together == whole["bars"]
    assert whole["next_page_token"] is None
    assert [sum(map(len, page["bars"].values())) for page in pages] == [2, 2, 2]


def test_a_bar_that_is_not_over_is_not_told_and_descending_turns_them(stage: Stage) -> None:
    rising = stage.ask("GET", BARS, TODAY).json["bars"]["HYDR"]
    falling = stage.ask("GET", BARS, {**TODAY, "sort": "desc"}).json["bars"]["HYDR"]

    assert [row["t"] for row in rising] == [f"2026-11-23T14:3{minute}:00Z" for minute in "012"]
    assert falling == rising[::-1]


def test_days_are_those_of_new_york_and_both_ends_are_included(stage: Stage) -> None:
    query = {"symbols": "HYDR", "timeframe": "1Day", "start": "2026-11-20", "end": "2026-11-20"}

    (row,) = stage.ask("GET", BARS, query).json["bars"]["HYDR"]

    assert row["t"] == "2026-11-20T05:00:00Z"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"symbols": ""}, "symbols is required"),
        ({"timeframe": ""}, "timeframe is required"),
        ({"timeframe": "7Days"}, "invalid timeframe: 7Days"),
        ({"limit": "0"}, "invalid limit: smaller than the allowed minimum of 1"),
        ({"page_token": "?"}, "invalid page_token"),
        ({"start": "2026-11-23", "end": "2026-11-22"}, "end should not be before start"),
        ({"start": "soon"}, "invalid start: found 'soon', wanted an RFC 3339 time or a date"),
        (
            {"feed": "none"},
            "invalid feed: found 'none', wanted iex or sip or delayed_sip or boats or overnight",
        ),
        ({"currency": "EUR"}, "invalid currency: prices are in USD alone"),
        ({"adjustment": "none"}, "invalid adjustment: wanted raw, dividend, spin-off, split, all"),
    ],
)
def test_a_bad_query_is_a_bad_request_without_a_code(
    stage: Stage, query: dict[str, str], message: str
) -> None:
    answer = stage.ask("GET", BARS, {**TODAY, **query})

    assert (answer.status, answer.json) == (400, {"message": message})


def test_what_is_not_known_or_of_another_class_has_no_rows(stage: Stage) -> None:
    found = stage.ask("GET", BARS, {**TODAY, "symbols": f"ZZZZ,BTC/USD,BTCUSD,{CALL},HYDR"}).json

    assert list(found["bars"]) == ["HYDR"]
    assert stage.ask("GET", BARS, {**TODAY, "symbols": "ZZZZ"}).json == {
        "bars": {},
        "next_page_token": None,
    }
    assert stage.ask("GET", "/v2/stocks/snapshots", {"symbols": "ZZZZ"}).json == {}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 403),
        ({"feed": "sip"}, 403),
        ({"feed": "iex"}, 200),
        ({"feed": "delayed_sip"}, 200),
        ({"end": "2026-11-23T14:18:30Z"}, 200),
        ({"end": "2026-11-23T14:18:31Z"}, 403),
    ],
)
def test_who_has_not_paid_sees_no_recent_data_of_all_exchanges(
    query: dict[str, str], status: int
) -> None:
    stage = Stage(now=LATER, rest=replace(FREE, plan=DataPlan.BASIC))

    assert stage.ask("GET", BARS, {**TODAY, **query}).status == status


def test_the_latest_comes_from_what_is_paid_for() -> None:
    stage = Stage(now=LATER, rest=replace(FREE, plan=DataPlan.BASIC))
    path, query = "/v2/stocks/quotes/latest", {"symbols": "HYDR"}

    assert stage.ask("GET", path, query).status == 200
    assert stage.ask("GET", path, {**query, "feed": "sip"}).status == 403
    options, opra = "/v1beta1/options/quotes/latest", {"symbols": CALL, "feed": "opra"}
    assert stage.ask("GET", options, opra).status == 403


def test_the_latest_is_in_dollars_too(stage: Stage) -> None:
    path, query = "/v2/stocks/trades/latest", {"symbols": "HYDR"}

    assert stage.ask("GET", path, {**query, "currency": "EUR"}).status == 400
    assert stage.ask("GET", path, {**query, "currency": "USD"}).status == 200


def test_the_delayed_feed_is_a_quarter_of_an_hour_late(stage: Stage) -> None:
    path, query = "/v2/stocks/trades/latest", {"symbols": "HYDR", "feed": "delayed_sip"}

    assert stage.ask("GET", path, query).json["trades"]["HYDR"]["t"] < "2026-11-21"


def test_a_chain_comes_in_pages_and_is_filtered(stage: Stage) -> None:
    path = "/v1beta1/options/snapshots/HYDR"
    query = {"expiration_date": "2026-12-18", "type": "call", "strike_price_gte": "40"}
    whole = list(stage.ask("GET", path, {**query, "limit": "1000"}).json["snapshots"])

    pages = pages_of(stage, path, {**query, "limit": "3"})

    assert [symbol for page in pages for symbol in page["snapshots"]] == whole
    assert CALL in whole
    assert all(symbol.startswith("HYDR261218C") for symbol in whole)
    since = {**query, "updated_since": "2026-11-24"}
    assert stage.ask("GET", path, since).json["snapshots"] == {}


def test_snapshots_by_name_come_in_pages_too(stage: Stage) -> None:
    path, symbols = "/v1beta1/options/snapshots", f"{CALL},HYDR261218C00043000,HYDR1"

    first, rest = pages_of(stage, path, {"symbols": symbols, "limit": "1"})

    assert list(first["snapshots"]) == [CALL]
    assert list(rest["snapshots"]) == ["HYDR261218C00043000"]
    many = ",".join(f"A{number}" for number in range(101))
    assert stage.ask("GET", path, {"symbols": many}).status == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (BARS, 400),
        ("/v1beta1/options/snapshots", 400),
        ("/v1beta1/options/snapshots/HYDR", 400),
        ("/v2/options/contracts", 422),
    ],
)
@pytest.mark.parametrize("token", ["!", "M!Q==", "/w==", "eA"])
def test_a_token_that_is_none_of_ours_is_refused(
    stage: Stage, path: str, status: int, token: str
) -> None:
    answer = stage.ask("GET", path, {**TODAY, "page_token": token})

    assert (answer.status, answer.json["message"]) == (status, "invalid page_token")


def test_contracts_come_in_pages_and_without_a_bound_only_those_of_this_week(
    stage: Stage,
) -> None:
    path = "/v2/options/contracts"
    this_week = stage.ask("GET", path, {"underlying_symbols": "HYDR"}).json["option_contracts"]
    bounded = {"underlying_symbols": "HYDR", "expiration_date_lte": "2026-12-18", "type": "put"}

    pages = pages_of(stage, path, {**bounded, "limit": "30"})
    symbols = [each["symbol"] for page in pages for each in page["option_contracts"]]

    assert {contract["expiration_date"] for contract in this_week} == {"2026-11-27"}
    assert len(symbols) == len(set(symbols)) > 60
    assert symbols == sorted(symbols)
    inactive = stage.ask("GET", path, {**bounded, "status": "inactive"}).json
    assert inactive == {"option_contracts": [], "next_page_token": None}


def test_a_contract_says_what_it_delivers_if_asked(stage: Stage) -> None:
    query = {"underlying_symbols": "HYDR", "limit": "1", "show_deliverables": "true"}
    share = stage.ask("GET", "/v2/assets/HYDR").json

    (contract,) = stage.ask("GET", "/v2/options/contracts", query).json["option_contracts"]

    assert contract["underlying_asset_id"] == share["id"]
    assert [(each["symbol"], each["amount"]) for each in contract["deliverables"]] == [
        ("HYDR", "100")
    ]


def test_a_contract_that_has_expired_is_inactive(stage: Stage) -> None:
    stage.come_to("2026-12-18T20:30:00Z")
    expired = "HYDR261127C00042000"

    contract = stage.ask("GET", f"/v2/options/contracts/{expired}").json

    assert date.fromisoformat(contract["expiration_date"]) < date(2026, 12, 18)
    assert (contract["status"], contract["tradable"]) == ("inactive", False)


def test_assets_are_filtered(stage: Stage) -> None:
    def symbols(**query: str) -> list[str]:
        return [asset["symbol"] for asset in stage.ask("GET", "/v2/assets", query).json]

    assert symbols() == ["HALT", "HYDR", "NOVA", "PENY"]
    assert symbols(asset_class="crypto") == ["BTC/USD", "ETH/USD"]
    assert symbols(status="inactive") == []
    assert symbols(exchange="CRYPTO") == []
    assert symbols(attributes="has_options") == symbols()
    assert symbols(attributes="ipo") == []


def test_of_what_there_is_nothing_the_answer_is_empty_and_of_the_right_shape(
    stage: Stage,
) -> None:
    assert stage.ask("GET", "/v1beta1/news").json == {"news": [], "next_page_token": None}
    assert stage.ask("GET", "/v1/corporate-actions").json == {
        "corporate_actions": {},
        "next_page_token": None,
    }
    movers = stage.ask("GET", "/v1beta1/screener/crypto/movers").json
    assert (movers["gainers"], movers["losers"], movers["market_type"]) == ([], [], "crypto")
    actives = stage.ask("GET", "/v1beta1/screener/stocks/most-actives").json
    assert actives == {"most_actives": [], "last_updated": LATER}
    assert "C" in stage.ask("GET", "/v1beta1/options/meta/exchanges").json
