"""The account, the clock and the calendar, asked for over REST."""

from decimal import Decimal

import pytest

from tests.venues.server.rest.stage import NOW, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def days(stage: Stage, **query: str) -> list[str]:
    return [row["date"] for row in stage.ask("GET", "/v2/calendar", query).json]


def test_the_calendar_is_cut_at_both_ends_or_not(stage: Stage) -> None:
    everything = days(stage)

    assert days(stage, start="2026-11-25", end="2026-11-30") == [
        "2026-11-25",
        "2026-11-27",
        "2026-11-30",
    ]
    assert days(stage, start="2026-11-25")[0] == "2026-11-25"
    assert days(stage, start="2026-11-25")[-1] == everything[-1]
    assert days(stage, end="2026-11-25T00:00:00Z")[0] == everything[0]
    assert days(stage, end="2026-11-25T00:00:00Z")[-1] == "2026-11-25"


def test_the_calendar_can_be_asked_by_the_day_of_settlement(stage: Stage) -> None:
    query = {"start": "2026-11-27", "end": "2026-11-27"}

    assert days(stage, **query, date_type="SETTLEMENT") == ["2026-11-25"]
    assert days(stage, **query, date_type="TRADING") == ["2026-11-27"]
    assert stage.ask("GET", "/v2/calendar", {"date_type": "other"}).status == 422


def test_the_clock_can_be_wrong_without_the_venue_being_so(stage: Stage) -> None:
    stage.venue.skew_clock(7_000_000_000)

    told = stage.ask("GET", "/v2/clock").json

    assert told["timestamp"] == "2026-11-23T09:31:14.402118733-05:00"
    assert stage.rest()["submitted_at"] == NOW


def test_only_what_is_given_is_configured(stage: Stage) -> None:
    path = "/v2/account/configurations"

    first = stage.ask("PATCH", path, body={"no_shorting": True, "dtbp_check": "both"}).json
    second = stage.ask("PATCH", path, body={"suspend_trade": True}).json
    unchanged = stage.ask("PATCH", path, body={}).json

    assert (first["no_shorting"], first["suspend_trade"]) == (True, False)
    assert (second["no_shorting"], second["suspend_trade"]) == (True, True)
    assert unchanged == second == stage.ask("GET", path).json
    assert stage.ask("GET", "/v2/account").json["trade_suspended_by_user"]


def test_what_the_positions_are_worth_counts_both_sides(stage: Stage) -> None:
    stage.buy()
    stage.place(symbol="NOVA", qty="8", side="sell", type="market", limit_price=None)

    account = stage.ask("GET", "/v2/account").json

    long, short = Decimal(account["long_market_value"]), Decimal(account["short_market_value"])
    assert long > 0 > short
    assert Decimal(account["position_market_value"]) == long - short
    assert Decimal(account["equity"]) == Decimal(account["cash"]) + long + short
    assert account["portfolio_value"] == account["equity"]


def test_activities_are_asked_for_by_kind_day_or_span(stage: Stage) -> None:
    stage.buy()
    path = "/v2/account/activities"

    def found(kind: str = "", **query: str) -> int:
        return len(stage.ask("GET", path + kind, query).json)

    assert found() == found(activity_types="FILL,CFEE") == found("/fill") == 1
    assert found("/CFEE") == found(category="non_trade_activity") == 0
    assert found(category="trade_activity", page_size="100") == 1
    assert found(date="2026-11-23") == 1
    assert found(date="2026-11-22") == 0
    assert found(after="2026-11-23T14:31:00Z", until="2026-11-23T14:32:00Z") == 1
    assert found(after="2026-11-24") == found(until="2026-11-23") == 0


@pytest.mark.parametrize(
    "query",
    [
        {"page_size": "101"},
        {"page_size": "0"},
        {"category": "trades"},
        {"category": "trade_activity", "activity_types": "FILL"},
        {"date": "2026-11-23", "after": "2026-11-22"},
        {"date": "2026-11-23", "until": "2026-11-22"},
    ],
)
def test_a_query_for_activities_that_makes_no_sense_is_refused(
    stage: Stage, query: dict[str, str]
) -> None:
    assert stage.ask("GET", "/v2/account/activities", query).status == 422
