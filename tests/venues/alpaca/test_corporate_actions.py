"""Splits and the like as the broker writes them: read whole, kept by name, or unknown."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable
from datetime import date
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from hydra.trading.corporate_actions import CorporateAction, matters
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.budget import Shares, Use
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.corporate_actions import SYMBOLS_A_REQUEST, ActionReads, AlpacaActions
from hydra.venues.alpaca.http import Request
from hydra.venues.alpaca.outcomes import Ok, Outcome, Unknown
from hydra.venues.simulated.market.splits import Split
from messages.corporate_actions import ActionsNotRead, ActionsQuestion, ActionsRead
from messages.message import Message
from tests.venues.alpaca.test_feed_on_local_venue import TERMS, client_on
from tests.venues.server.kit import PATIENCE_S, in_loop, rising, served, venue_on

QUESTION = ActionsQuestion(
    symbols=("HYDR", "NOVA"),
    first=date(2026, 1, 1),
    last=date(2026, 2, 4),
    reply_to="/hydra/ops/action_watch",
    asked_by=2,
    number=7,
)
SPLIT = {
    "id": "35bb5add-f9dc-41fb-b726-e7c7ccdcad22",
    "symbol": "NOVA",
    "cusip": "000000AA1",
    "new_rate": 4,
    "old_rate": 1,
    "process_date": "2026-01-20",
    "ex_date": "2026-01-20",
    "record_date": "2026-01-19",
    "payable_date": "2026-01-19",
}
THE_SPLIT = CorporateAction(
    kind="forward_splits",
    symbols=("NOVA",),
    first=date(2026, 1, 20),
    last=date(2026, 1, 20),
    terms="4 for 1",
)


class Pages:
    """In the place of `Calls`: gives these bodies, one after the other, and notes the requests."""

    def __init__(self, *bodies: object) -> None:
        self._bodies = list(bodies)
        self.asked: list[dict[str, list[str]]] = []

    def call(
        self, request: Request, read: Callable[[bytes], Any], use: Use, *, deadline: float
    ) -> Outcome[Any]:
        assert use is Use.POLL
        assert deadline > 0
        self.asked.append(parse_qs(urlsplit(request.target).query))
        body = self._bodies.pop(0)
        if body is None:
            return Unknown(cause="no answer in time")
        try:
            return Ok(read(msgspec.json.encode(body)))
        except BadAnswer as bad:
            return Unknown(cause=str(bad))


def answer_of(pages: Pages, question: ActionsQuestion = QUESTION) -> Message:
    told: queue.Queue[tuple[str, Message]] = queue.Queue()
    actions = AlpacaActions(
        ActionReads(cast("Calls", pages)), lambda path, said: told.put((path, said))
    )
    actions.ask(question)
    path, message = told.get(timeout=PATIENCE_S)
    actions.ask_to_stop()
    assert actions.join(PATIENCE_S)
    assert path == question.reply_to
    return message


def page(token: str = "", **rows: Any) -> object:
    return {"corporate_actions": rows, "next_page_token": token or None}


def read(**rows: Any) -> ActionsRead:
    answer = answer_of(Pages(page("", **rows)))
    assert isinstance(answer, ActionsRead)
    return answer


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def test_all_pages_are_read_and_both_days_are_always_named() -> None:
    pages = Pages(page("2", forward_splits=[SPLIT]), page(forward_splits=[SPLIT]))

    answer = answer_of(pages)

    assert answer == ActionsRead(actions=(THE_SPLIT,), asked_by=2, number=7)
    first, second = pages.asked
    assert first == {
        "symbols": ["HYDR,NOVA"],
        "start": ["2026-01-01"],
        "end": ["2026-02-04"],
        "limit": ["1000"],
    }
    assert second == {**first, "page_token": ["2"]}


def test_many_symbols_are_asked_for_in_several_requests() -> None:
    symbols = tuple(f"S{number}" for number in range(SYMBOLS_A_REQUEST + 1))
    pages = Pages(page(), page(reverse_splits=[SPLIT]))

    answer = answer_of(pages, msgspec.structs.replace(QUESTION, symbols=symbols))

    assert isinstance(answer, ActionsRead)
    assert [each.kind for each in answer.actions] == ["reverse_splits"]
    asked = [each["symbols"][0].split(",") for each in pages.asked]
    assert asked == [list(symbols[:-1]), [symbols[-1]]]


@pytest.mark.parametrize(
    ("kind", "row", "symbols", "dates"),
    [
        (
            "name_changes",
            {"old_symbol": "NOVA", "new_symbol": "NOVB", "process_date": "2026-01-20"},
            ("NOVA", "NOVB"),
            ("2026-01-20", "2026-01-20"),
        ),
        (
            "stock_mergers",
            {
                "acquirer_symbol": "HYDR",
                "acquiree_symbol": "NOVA",
                "process_date": "2026-01-22",
                "effective_date": "2026-01-20",
            },
            ("NOVA",),
            ("2026-01-20", "2026-01-22"),
        ),
        (
            "spin_offs",
            {
                "source_symbol": "NOVA",
                "new_symbol": "STAR",
                "process_date": "2026-01-21",
                "ex_date": "2026-01-20",
            },
            ("NOVA", "STAR"),
            ("2026-01-20", "2026-01-21"),
        ),
        (
            "never_heard_of",
            {"acquirer_symbol": "NOVA", "process_date": "2026-01-20", "odd": [1]},
            ("NOVA",),
            ("2026-01-20", "2026-01-20"),
        ),
    ],
)
def test_each_kind_is_read_with_the_shares_that_it_changes_and_kept_by_its_name(
    kind: str, row: dict[str, Any], symbols: tuple[str, ...], dates: tuple[str, str]
) -> None:
    first, last = map(date.fromisoformat, dates)

    assert read(**{kind: [row]}).actions == (
        CorporateAction(kind=kind, symbols=symbols, first=first, last=last),
    )


@pytest.mark.parametrize(("special", "counts"), [(True, True), (False, False), (None, False)])
def test_of_dividends_it_is_told_whether_they_are_special(
    special: bool | None, counts: bool
) -> None:
    row = {**without(SPLIT, "new_rate", "old_rate"), "rate": 12.5, "special": special}

    (action,) = read(cash_dividends=[row]).actions

    assert matters(action) is counts


def test_rates_that_are_no_numbers_cost_the_words_alone() -> None:
    (action,) = read(forward_splits=[{**SPLIT, "new_rate": "four"}]).actions

    assert action == msgspec.structs.replace(THE_SPLIT, terms="")


@pytest.mark.parametrize(
    "row",
    [
        without(SPLIT, "ex_date", "process_date"),
        {**SPLIT, "ex_date": "soon"},
        {**SPLIT, "ex_date": 20260120},
        {**SPLIT, "process_date": "2026-01-19"},
        {**SPLIT, "special": "perhaps"},
        {**SPLIT, "old_symbol": 7},
    ],
)
def test_one_that_cannot_be_read_makes_its_share_unknown_and_no_other(row: dict[str, Any]) -> None:
    other = {**SPLIT, "symbol": "HYDR"}

    answer = read(forward_splits=[row, other])

    assert answer.unread == ("NOVA",)
    assert [each.symbols for each in answer.actions] == [("HYDR",)]


@pytest.mark.parametrize(
    "bodies",
    [
        [page(forward_splits=[without(SPLIT, "symbol")])],
        [page(forward_splits=[{"symbol": 7}])],
        [page("2", forward_splits=[SPLIT]), None],
        [{"message": "no"}],
        [{"corporate_actions": [SPLIT]}],
    ],
)
def test_where_it_is_not_known_what_is_missing_nothing_is_known(bodies: list[object]) -> None:
    answer = answer_of(Pages(*bodies))

    assert isinstance(answer, ActionsNotRead)
    assert (answer.asked_by, answer.number) == (2, 7)
    assert "GET /v1/corporate-actions" in answer.reason


def test_no_actions_are_an_answer_too() -> None:
    assert read().actions == ()
    assert read(forward_splits=None).actions == ()


def test_a_split_of_the_local_venue_is_read_as_it_is_meant() -> None:
    split = Split(symbol="NOVA", ex_date=date(2026, 1, 20), new=4, old=1)
    venue = venue_on(*rising("HYDR", 2), splits=(split,))
    answers: queue.Queue[Message] = queue.Queue()

    async def test() -> None:
        async with served(venue, TERMS) as port:
            client = client_on(port)
            calls = Calls(
                client, Shares(), minutes_by=lambda: 0, market_time=venue.now, ended=lambda _: None
            )
            actions = AlpacaActions(ActionReads(calls), lambda _, message: answers.put(message))
            actions.ask(QUESTION)
            told = await asyncio.to_thread(answers.get, timeout=PATIENCE_S)
            actions.ask_to_stop()
            assert await asyncio.to_thread(actions.join, PATIENCE_S)
            client.close()
        assert told == ActionsRead(actions=(THE_SPLIT,), asked_by=2, number=7)

    in_loop(test)
