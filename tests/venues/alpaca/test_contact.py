"""The first contact: everything read once, nothing written, one line for each thing looked at."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, monotonic_ns

import pytest

from hydra.settings.secret import Secret
from hydra.settings.section import VenueName
from hydra.trading.findings import Finding
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.contact import Contact
from hydra.venues.alpaca.corporate_actions import ActionReads
from hydra.venues.alpaca.http import HttpClient, Keys
from hydra.venues.alpaca.identity import Identity
from hydra.venues.alpaca.market_rest import MarketReads, StockFeed
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.times import nanoseconds
from hydra.venues.market_sessions import exchange_sessions
from tests.venues.alpaca.fake_alpaca import FakeAlpaca, Received, Reply, fake_alpaca
from tests.venues.alpaca.samples import ASSET, account_json

NOW = nanoseconds("2026-11-23T14:31:07Z")
CLOCK = {
    "timestamp": "2026-11-23T09:31:07.5-05:00",
    "is_open": True,
    "next_open": "2026-11-24T09:30:00-05:00",
    "next_close": "2026-11-23T16:00:00-05:00",
}
OURS = exchange_sessions("2026-11-23", "2026-11-30", None)
SESSIONS = [
    {"date": "2026-11-23", "open": "09:30", "close": "16:00"},
    {"date": "2026-11-24", "open": "09:30", "close": "16:00"},
    {"date": "2026-11-25", "open": "09:30", "close": "16:00"},
    {"date": "2026-11-27", "open": "09:30", "close": "13:00"},
    {"date": "2026-11-30", "open": "09:30", "close": "16:00"},
]
"""Of Thanksgiving's week, as the payload of the protocol has it."""
QUOTE = {"t": "2026-11-23T14:31:00Z", "bp": 41.26, "bs": 200, "ap": 41.28, "as": 300}
SPLIT = {"symbol": "HYDR", "ex_date": "2026-12-01", "process_date": "2026-12-01"}
FINE: dict[str, Reply] = {
    "/v2/account": Reply(200, account_json()),
    "/v2/clock": Reply(200, CLOCK),
    "/v2/calendar": Reply(200, SESSIONS),
    "/v2/assets/HYDR": Reply(
        200, {"id": ASSET, "symbol": "HYDR", "status": "active", "tradable": True}
    ),
    "/v2/stocks/quotes/latest": Reply(200, {"quotes": {"HYDR": QUOTE}}),
    "/v1/corporate-actions": Reply(200, {"corporate_actions": {"forward_splits": [SPLIT]}}),
}
PASSED = (
    Finding("account", True, "PA3HYDRA0001, 61874.33 USD in cash"),
    Finding("identity", True, "all names agree"),
    Finding("may trade", True, "it may"),
    Finding("clock", True, "+0.500 s against ours"),
    Finding("calendar", True, "next session 2026-11-23, 09:30–16:00"),
    Finding("asset", True, "HYDR is active and tradable"),
    Finding("quote", True, "HYDR 41.26/41.28, 7 s old"),
    Finding("corporate actions", True, "1 of HYDR within 30 days"),
)


@contextmanager
def contact_with(answers: dict[str, Reply]) -> Iterator[tuple[Contact, FakeAlpaca]]:
    def answer(received: Received) -> Reply:
        return answers.get(received.path, Reply(404, {"code": 40410000, "message": "not found"}))

    with fake_alpaca(answer) as broker:
        keys = Keys(Secret("HYDRA-a-key"), Secret("a-secret"))
        calls = Calls(
            HttpClient(broker.url, keys, Network(loopback_only=True)),
            Shares(),
            minutes_by=monotonic_ns,
            market_time=lambda: NOW,
            ended=lambda _: None,
        )
        market = MarketReads(calls, StockFeed.IEX, lambda: NOW)
        try:
            contact = Contact(
                calls, market, ActionReads(calls), lambda *_: OURS, market_time=lambda: NOW
            )
            yield contact, broker
        finally:
            calls.close()


def embedded(account_number: str) -> Identity:
    return Identity(
        mode=VenueName.EMBEDDED,
        base_url="http://127.0.0.1:8123",
        key_id="HYDRA-a-key",
        account_number=account_number,
        bound_account=None,
    )


def test_a_broker_that_is_as_it_should_be_passes_in_everything_and_nothing_is_written() -> None:
    with contact_with(FINE) as (contact, broker):
        findings = contact.findings(embedded, "HYDR", monotonic() + 5.0)

    assert findings == PASSED
    assert {received.method for received in broker.received} == {"GET"}
    assert len(broker.received) == len(FINE)


@pytest.mark.parametrize(
    ("path", "answer", "failing"),
    [
        (
            "/v2/account",
            Reply(401, {"message": "unauthorized."}),
            Finding("account", False, "GET /v2/account: refused, 401: unauthorized."),
        ),
        (
            "/v2/account",
            Reply(200, account_json(trading_blocked=True)),
            Finding("may trade", False, "the account may not: trading_blocked"),
        ),
        (
            "/v2/account",
            Reply(200, account_json(account_number="123456789")),
            Finding(
                "identity",
                False,
                "venue embedded, account 123456789: the account is one of live;"
                " use the keys, address and state folder of one account",
            ),
        ),
        (
            "/v2/clock",
            Reply(200, CLOCK | {"timestamp": "2026-11-23T09:31:12-05:00"}),
            Finding(
                "clock",
                False,
                "the venue's clock is 5.000 s ahead of ours, give or take 0.000 s, at most"
                " 2.000 s allowed; see to the machine's clock (NTP)",
            ),
        ),
        (
            "/v2/clock",
            Reply(200, CLOCK | {"timestamp": "now"}),
            Finding("clock", False, "found the time 'now', wanted RFC 3339 with its offset"),
        ),
        (
            "/v2/calendar",
            Reply(200, []),
            Finding("calendar", False, "it has no session within a week"),
        ),
        (
            "/v2/calendar",
            Reply(200, [{"date": "2026-11-23", "open": "nine", "close": "16:00"}]),
            Finding("calendar", False, "found the hours nine–16:00 of 2026-11-23, wanted HH:MM"),
        ),
        (
            "/v2/assets/HYDR",
            Reply(200, {"id": ASSET, "symbol": "HYDR", "status": "active", "tradable": False}),
            Finding("asset", False, "HYDR is active and not tradable"),
        ),
        (
            "/v2/assets/HYDR",
            Reply(404, {"code": 40410000, "message": "asset not found for HYDR"}),
            Finding(
                "asset",
                False,
                "GET /v2/assets/HYDR: refused, 404/40410000: asset not found for HYDR",
            ),
        ),
        (
            "/v2/stocks/quotes/latest",
            Reply(200, {"quotes": {}}),
            Finding("quote", False, "the feed has never had one of HYDR"),
        ),
        (
            "/v1/corporate-actions",
            Reply(403, {"message": "subscription does not permit it"}),
            Finding(
                "corporate actions",
                False,
                (
                    "GET /v1/corporate-actions: refused, 403: subscription does not permit it;"
                    " so no share is entered (keys that may not read them:"
                    " broker.corporate_actions in settings.yaml)"
                ),
            ),
        ),
        (
            "/v1/corporate-actions",
            Reply(200, {"corporate_actions": {"forward_splits": [{"symbol": "HYDR"}]}}),
            Finding("corporate actions", False, "one of HYDR cannot be read, so it is not entered"),
        ),
    ],
)
def test_what_is_not_as_it_should_be_is_one_line_and_the_rest_is_looked_at_all_the_same(
    path: str, answer: Reply, failing: Finding
) -> None:
    with contact_with(FINE | {path: answer}) as (contact, _):
        findings = contact.findings(embedded, "HYDR", monotonic() + 5.0)

    assert [each for each in findings if not each.passed] == [failing]
    passed = {each.name for each in findings if each.passed}
    assert {"calendar", "asset", "quote", "clock"} <= passed | {failing.name}


HALF_DAY = {"date": "2026-11-24", "open": "09:30", "close": "13:00"}
HOLIDAY = {"date": "2026-11-26", "open": "09:30", "close": "16:00"}


@pytest.mark.parametrize(
    ("sessions", "words"),
    [
        (
            [SESSIONS[0], HALF_DAY, *SESSIONS[2:]],
            "2026-11-24: the venue's is 09:30–13:00, ours 09:30–16:00",
        ),
        ([SESSIONS[0], *SESSIONS[2:]], "2026-11-24: the venue's is shut, ours 09:30–16:00"),
        (
            [*SESSIONS[:3], HOLIDAY, *SESSIONS[3:]],
            "2026-11-26: the venue's is 09:30–16:00, ours shut",
        ),
        ([*SESSIONS, {"date": "2026-12-01", "open": "09:30", "close": "16:00"}], ""),
    ],
    ids=["closes early", "stays shut", "opens", "beyond the week"],
)
def test_a_day_that_the_venue_keeps_otherwise_than_we_do_is_told_before_it_comes_i43(
    sessions: list[dict[str, str]], words: str
) -> None:
    with contact_with(FINE | {"/v2/calendar": Reply(200, sessions)}) as (contact, _):
        findings = contact.findings(embedded, "HYDR", monotonic() + 5.0)

    (calendar,) = [each for each in findings if each.name == "calendar"]
    assert calendar.passed is not bool(words)
    assert words in calendar.line
