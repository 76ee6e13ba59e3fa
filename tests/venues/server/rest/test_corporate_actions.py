"""The splits of the market, told before they happen, in the shapes that Alpaca's client reads."""

from datetime import date
from typing import Any

import pytest
from alpaca.data.models.corporate_actions import CorporateActionsSet, ForwardSplit, ReverseSplit

from hydra.venues.simulated.market.splits import Split
from tests.venues.server.rest.stage import Stage

PATH = "/v1/corporate-actions"
TODAY = Split(symbol="HYDR", ex_date=date(2026, 11, 23), new=4, old=1)
SOON = Split(symbol="NOVA", ex_date=date(2026, 12, 1), new=1, old=10)
NOT_YET = Split(symbol="HYDR", ex_date=date(2026, 12, 2), new=3, old=2)
AHEAD = {"start": "2026-11-23", "end": "2026-12-31"}


@pytest.fixture
def stage() -> Stage:
    return Stage(splits=(NOT_YET, SOON, TODAY))


def told(stage: Stage, **query: str) -> list[tuple[str, str]]:
    """The shares and ex-dates, kind by kind."""
    answer = stage.ask("GET", PATH, query)
    assert answer.status == 200, answer.content
    rows: dict[str, list[dict[str, Any]]] = answer.json["corporate_actions"]
    return [(row["symbol"], row["ex_date"]) for kind in rows.values() for row in kind]


def test_a_split_is_told_with_all_that_the_client_asks_for(stage: Stage) -> None:
    body = stage.ask("GET", PATH, AHEAD).json

    found = CorporateActionsSet(body["corporate_actions"]).data
    forward, reverse = found["forward_splits"], found["reverse_splits"]
    assert [type(each) for each in (*forward, *reverse)] == [
        *(ForwardSplit, ForwardSplit),
        ReverseSplit,
    ]
    (first, _), (other,) = forward, reverse
    assert isinstance(first, ForwardSplit)
    assert isinstance(other, ReverseSplit)
    assert (first.symbol, first.new_rate, first.old_rate) == ("HYDR", 4, 1)
    assert (other.symbol, other.new_rate, other.old_rate) == ("NOVA", 1, 10)
    assert first.ex_date == first.process_date == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, [("HYDR", "2026-11-23")]),
        ({"end": "2026-12-01"}, [("HYDR", "2026-11-23"), ("NOVA", "2026-12-01")]),
        ({**AHEAD, "symbols": "NOVA,AAPL"}, [("NOVA", "2026-12-01")]),
        ({**AHEAD, "types": "reverse_split"}, [("NOVA", "2026-12-01")]),
        ({**AHEAD, "types": "cash_dividend"}, []),
    ],
)
def test_what_is_asked_for_is_told(
    stage: Stage, query: dict[str, str], wanted: list[tuple[str, str]]
) -> None:
    assert told(stage, **query) == wanted


def test_page_follows_page(stage: Stage) -> None:
    pages = []
    token: dict[str, str] = {}
    for _ in range(3):
        answer = stage.ask("GET", PATH, {**AHEAD, "limit": "1", **token})
        pages.append(told(stage, **AHEAD, limit="1", **token))
        token = {"page_token": answer.json["next_page_token"]}

    assert pages == [[("HYDR", "2026-11-23")], [("NOVA", "2026-12-01")], [("HYDR", "2026-12-02")]]
    assert token == {"page_token": None}


@pytest.mark.parametrize(
    "query",
    [{"start": "2026-12-02", "end": "2026-12-01"}, {"page_token": "?"}, {"start": "soon"}],
)
def test_what_cannot_be_meant_is_refused(stage: Stage, query: dict[str, str]) -> None:
    assert stage.ask("GET", PATH, query).status == 400
