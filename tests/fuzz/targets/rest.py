"""Every other body that the broker answers with: market data, option chains, clock, calendar; and
the bytes that such an answer comes in.
"""

import random
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

from hydra.settings.secret import Secret
from hydra.settings.section import VenueName
from hydra.trading.amounts import is_amount
from hydra.trading.durations import MINUTE
from hydra.trading.sessions import SessionTable
from hydra.venues.alpaca.contact import Contact
from hydra.venues.alpaca.corporate_actions import ActionReads
from hydra.venues.alpaca.http import Answer, Failure, HttpClient, Keys, Request
from hydra.venues.alpaca.identity import Identity
from hydra.venues.alpaca.market_rest import ONE_MINUTE, MarketReads, StockFeed
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.options import ChainBounds, OptionFeed, OptionReads
from hydra.venues.alpaca.outcomes import Exists, Ok, Refused, order_outcome_of, outcome_of
from hydra.venues.alpaca.payloads import read_order
from hydra.venues.alpaca.reads import ReadFailed
from tests.fuzz.exactness import require_written
from tests.fuzz.scripts import Scripted, calls_of, parts_of, script, spoilt_scripts
from tests.fuzz.spoiling import spoilt_bytes
from tests.fuzz.target import Target, Verdict, require
from tests.venues.alpaca.samples import account_json, order_json

NOW = 1_795_444_267_000_000_000
LATE = 1e9
BOUNDS = ChainBounds(first=date(2026, 11, 23), last=date(2026, 12, 31))
OCC = "HYDR261218C00042500"
BAR = {"t": "2026-11-23T14:30:00Z", "o": 41.2, "h": 41.33, "l": 41.18, "c": 41.29, "v": 8412}
NEXT_BAR = {**BAR, "t": "2026-11-23T14:31:00Z"}
QUOTE = {"t": "2026-11-23T14:31:05.118046330Z", "ap": 1.44, "as": 37, "bp": 1.4, "bs": 21}
GREEKS = {"delta": 0.48, "gamma": 0.07, "theta": -0.03, "vega": 0.05, "rho": 0.01}
CONTRACT = {
    "symbol": OCC,
    "underlying_symbol": "HYDR",
    "expiration_date": "2026-12-18",
    "type": "call",
    "strike_price": "42.5",
    "multiplier": "100",
    "tradable": True,
    "open_interest": "1234",
    "close_price": "1.41",
    "ppind": True,
}
BARS = "GET /v2/stocks/bars"
QUOTES = "GET /v2/stocks/quotes/latest"
CHAIN = "GET /v1beta1/options/snapshots/HYDR"
CONTRACTS = "GET /v2/options/contracts"
ACTIONS = "GET /v1/corporate-actions"
SPLIT = {
    "symbol": "HYDR",
    "new_rate": 4,
    "old_rate": 1,
    "process_date": "2026-12-01",
    "ex_date": "2026-12-01",
}
RENAMED = {"old_symbol": "NOVA", "new_symbol": "NOVB", "process_date": "2026-12-02"}
SNAPSHOT = {"latestQuote": QUOTE, "greeks": GREEKS, "impliedVolatility": 0.31}
SEEDS = (
    script(
        (BARS, 200, {"bars": {"HYDR": [BAR, NEXT_BAR], "NOVA": [BAR]}, "next_page_token": None})
    ),
    script(
        (BARS, 200, {"bars": {"HYDR": [BAR]}, "next_page_token": "a"}),
        (BARS, 200, {"bars": {"HYDR": [NEXT_BAR]}, "next_page_token": None}),
    ),
    script((QUOTES, 200, {"quotes": {"HYDR": QUOTE}})),
    script((CHAIN, 200, {"snapshots": {OCC: SNAPSHOT, "HYDR2": {}}, "next_page_token": None})),
    script((CONTRACTS, 200, {"option_contracts": [CONTRACT], "next_page_token": None})),
    script(
        ("GET /v2/account", 200, account_json()),
        (
            "GET /v2/clock",
            200,
            {
                "timestamp": "2026-11-23T09:31:07.402118733-05:00",
                "is_open": True,
                "next_open": "2026-11-24T09:30:00-05:00",
                "next_close": "2026-11-23T16:00:00-05:00",
            },
        ),
        ("GET /v2/calendar", 200, [{"date": "2026-11-23", "open": "09:30", "close": "16:00"}]),
        (
            "GET /v2/assets/HYDR",
            200,
            {
                "id": "1",
                "symbol": "HYDR",
                "class": "us_equity",
                "status": "active",
                "tradable": True,
            },
        ),
        (QUOTES, 200, {"quotes": {"HYDR": QUOTE}}),
        (ACTIONS, 200, {"corporate_actions": {"forward_splits": [SPLIT]}}),
    ),
    script(
        (
            ACTIONS,
            200,
            {
                "corporate_actions": {"forward_splits": [SPLIT], "name_changes": [RENAMED]},
                "next_page_token": "a",
            },
        ),
        (ACTIONS, 200, {"corporate_actions": {}, "next_page_token": None}),
    ),
)
WORDS = (
    *("t", "o", "h", "l", "c", "v", "bp", "ap", "bs", "as", "a", "b"),
    *("next_page_token", "snapshots", "call", "put", "HYDR", "NOVA"),
)


HUGE = tuple(
    lambda asked=asked, body=body: f"=== {asked} 200\n".encode() + body()
    for asked in (BARS, QUOTES, CHAIN, CONTRACTS, ACTIONS, "GET /v2/clock")
    for body in (
        lambda: b"[" * 1_000_000,
        lambda: b'{"a":' * 200_000,
        lambda: b'{"bars":{"HYDR":' + b"9" * 1_000_000,
        lambda: b'{"quotes":{"X":{"t":"' + b"2" * 1_000_000 + b'"}}}',
    )
)


@contextmanager
def rest_bodies(folder: Path) -> Iterator[Target]:
    """A script of what the data host and the rest of the trading host answer."""

    def feed(data: bytes) -> Verdict:
        verdict = Verdict.REFUSED
        asked = {head.rpartition(b" ")[0].decode("latin-1") for head, _ in parts_of(data)}
        for path, ask in ASKED.items():
            if path in asked:
                client = Scripted(data)
                try:
                    ask(client)
                    verdict = Verdict.ACCEPTED
                except ReadFailed as failed:
                    text = str(failed)
                    require(bool(text) and text.isprintable(), f"no reason to print: {text!r}")
        return verdict

    yield Target(name="rest_bodies", feed=feed, seeds=SEEDS, spoil=spoilt_scripts(WORDS), huge=HUGE)


def _bars(client: Scripted) -> None:
    reads = MarketReads(calls_of(client, NOW), StockFeed.IEX, lambda: NOW)
    found = reads.stock_bars(["HYDR"], ONE_MINUTE, NOW - 60 * MINUTE, NOW, LATE)
    for symbol, bars in found.items():
        for bar in bars:
            require(bar.symbol == symbol and bar.end_at <= NOW, f"a bar that is not over: {bar}")
            numbers = (bar.open, bar.high, bar.low, bar.close, bar.volume)
            require(all(isfinite(each) for each in numbers), f"not finite: {bar}")
        in_order = all(one.start_at < other.start_at for one, other in pairwise(bars))
        require(in_order, "bars out of order")


def _quotes(client: Scripted) -> None:
    reads = MarketReads(calls_of(client, NOW), StockFeed.IEX, lambda: NOW)
    for symbol, quote in reads.stock_quotes(["HYDR"], LATE).items():
        require(quote.symbol == symbol, "a quote of another symbol")
        require(isinstance(quote.bid, float), "a bid that is no number")


def _chain(client: Scripted) -> None:
    calls = calls_of(client, NOW)
    chain = OptionReads(calls, calls, OptionFeed.INDICATIVE).chain("HYDR", BOUNDS, LATE)
    for entry in chain:
        numbers = [entry.implied_volatility]
        if entry.greeks is not None:
            greeks = entry.greeks
            numbers += [greeks.delta, greeks.gamma, greeks.theta, greeks.vega, greeks.rho]
        require(all(each is None or isfinite(each) for each in numbers), f"not finite: {entry}")
    require(len({each.symbol for each in chain}) == len(chain), "a contract is there twice")


def _contracts(client: Scripted) -> None:
    calls = calls_of(client, NOW)
    found = OptionReads(calls, calls, OptionFeed.INDICATIVE).contracts("HYDR", BOUNDS, LATE)
    require(all(each.reason.isprintable() for each in found.unread), f"no line: {found.unread}")
    for contract in found.contracts:
        numbers = [contract.strike, contract.multiplier]
        numbers += [each for each in (contract.open_interest, contract.close_price) if each]
        require(all(map(is_amount, numbers)), f"one is no amount: {contract}")
        require(contract.strike > 0 and contract.multiplier > 0, f"not over zero: {contract}")
        require_written(numbers, *(answer.body for _, answer in client.given))


def _actions(client: Scripted) -> None:
    reads = ActionReads(calls_of(client, NOW))
    found = reads.actions(["HYDR", "NOVA"], BOUNDS.first, BOUNDS.last, LATE)
    for action in found.actions:
        require(bool(action.symbols) and action.first <= action.last, f"an odd one: {action}")
        said = (action.kind, action.terms, *action.symbols)
        require(all(each.isprintable() for each in said), f"not fit for a terminal: {action}")
    require(all(found.unread), "a share without a name")


def _contact(client: Scripted) -> None:
    calls = calls_of(client, NOW)
    market = MarketReads(calls, StockFeed.IEX, lambda: NOW)
    contact = Contact(
        calls,
        market,
        ActionReads(calls),
        lambda *_: SessionTable(()),
        market_time=lambda: NOW,
        trades_crypto=True,
    )
    findings = contact.findings(_identity, "HYDR", LATE)
    require(len(findings) >= 5, f"too few findings: {findings}")
    for finding in findings:
        require(finding.line.isprintable(), f"not fit for a terminal: {finding.line!r}")
    if not all(finding.passed for finding in findings):
        raise ReadFailed("not all is fine")


def _identity(number: str) -> Identity:
    return Identity(
        mode=VenueName.PAPER,
        base_url="https://paper-api.alpaca.markets",
        key_id="PKTEST",
        account_number=number,
        bound_account="PA3HYDRA0001",
    )


ASKED: Mapping[str, Callable[[Scripted], None]] = {
    BARS: _bars,
    QUOTES: _quotes,
    CHAIN: _chain,
    CONTRACTS: _contracts,
    ACTIONS: _actions,
    "GET /v2/clock": _contact,
}


def _answer(status: int, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


ORDER = script(("x", 200, order_json())).partition(b"\n")[2].strip()
WIRE: tuple[bytes, ...] = (
    _answer(200, ORDER, "Content-Type: application/json", "X-RateLimit-Remaining: 187"),
    _answer(422, b'{"code":42210000,"message":"no"}', "X-Request-ID: a"),
    _answer(429, b"{}", "X-RateLimit-Reset: 1795273260"),
    _answer(302, b"", "Location: http://127.0.0.1:1/"),
    _answer(500, b"<html>"),
    b"HTTP/1.1 100 Continue\r\n\r\n" + _answer(200, ORDER),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"%x\r\n%b\r\n0\r\n\r\n" % (len(ORDER), ORDER),
    b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n" + ORDER,
    b"HTTP/1.1 204 No Content\r\n\r\n",
)
HEADERS: tuple[bytes, ...] = (
    b"Content-Length: 0\r\n",
    b"Content-Length: -1\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: 12abc\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: identity, gzip\r\n",
    b"Connection: close\r\n",
    b"Content-Encoding: gzip\r\n",
    b"X-RateLimit-Reset: " + b"9" * 40 + b"\r\n",
    b"X-RateLimit-Reset: \xd9\xa3\r\n",
    b"A: b\r\n c\r\n",
    b"\r\n",
    b"X: " + b"a" * 70_000 + b"\r\n",
    b"Y: z\r\n" * 200,
)


HUGE_ANSWERS = (
    lambda: b"HTTP/1.1 200 " + b"x" * 2_000_000,
    lambda: b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 100_000,
    lambda: b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
    lambda: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 1_000_000,
    lambda: b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000,
    lambda: _answer(200, b"[" * 1_000_000),
)


@contextmanager
def http(folder: Path) -> Iterator[Target]:
    """The bytes of one answer to an order that was sent, and then the end of the connection.

    A yes or a no needs a whole answer with the status for it; all else is unknown (I19).
    """
    with _Listener() as listener:
        keys = Keys(Secret("HYDRA-a-key"), Secret("a-secret"))

        def feed(data: bytes) -> Verdict:
            listener.answer = data
            network = Network(loopback_only=True)
            client = HttpClient(listener.url, keys, network, call_within_s=WIRE_WITHIN_S)
            try:
                request = Request(method="POST", target="/v2/orders", body=b"{}")
                result = client.call(request)
            finally:
                client.close()
            outcome = order_outcome_of(outcome_of(result, read_order))
            match result:
                case Failure(sent=sent):
                    require(sent, f"it was sent, and told as if it had not been: {result}")
                case Answer(status=status, body=body):
                    require(body in data or b"chunked" in data.lower(), "a body that was not sent")
                    require(b"HYDRA-a-key" not in body, "a key in an answer")
                    is_no = isinstance(outcome, Refused | Exists)
                    require(not is_no or 400 <= status < 500, f"a refusal by {status}")
                    require(not isinstance(outcome, Ok) or status == 200, f"a yes by {status}")
            return Verdict.ACCEPTED if isinstance(outcome, Ok) else Verdict.REFUSED

        yield Target(
            name="http",
            feed=feed,
            seeds=WIRE,
            spoil=_spoilt_answer,
            huge=HUGE_ANSWERS,
            input_bytes_max=200_000,
        )


WIRE_WITHIN_S = 20.0


def _spoilt_answer(data: bytes, dice: random.Random) -> bytes:
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    match dice.randrange(5):
        case 0:
            lines.insert(dice.randrange(len(lines)) + 1, dice.choice(HEADERS).removesuffix(b"\r\n"))
        case 1:
            status = dice.choice((b"000", b"99", b"1000", b"2OO", b"200", b"100", b"404", b"-20"))
            lines[0] = b"HTTP/1.1 " + status + b" x"
        case 2:
            body = spoilt_bytes(body, dice)
        case _:
            return spoilt_bytes(data, dice)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class _Listener:
    """Takes each connection, hears the request, says its answer, and hangs up."""

    def __init__(self) -> None:
        self.answer = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._is_over = False
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "_Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._is_over = True
        socket.create_connection(self._socket.getsockname()).close()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection, suppress(OSError):
                if self._is_over:
                    return
                connection.recv(65_536)
                connection.sendall(self.answer)
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(0.2)
                while connection.recv(65_536):  # else what was said could be lost by a reset
                    pass
