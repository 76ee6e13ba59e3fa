"""A small market and a venue on it, which the tests bring into the situations of the examples.

It is Monday 2026-11-23, 14:31:07 UTC, a minute after the open; there are a few minutes of the
Friday before, of this morning, of this afternoon, and of the day on which an option expires.
"""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from itertools import count
from typing import Any

from msgspec.structs import replace
from starlette.types import ASGIApp

from hydra.trading.bars import Bar
from hydra.trading.sessions import SessionTable
from hydra.venues.market_sessions import exchange_sessions
from hydra.venues.simulated.brokerage.acts import Act, FillOrder
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.market.splits import Split
from hydra.venues.simulated.market.tape import MarketTerms, Tape
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.server.clock import VenueClock
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.faults.armed_rules import ArmedRules
from hydra.venues.simulated.server.faults.faulty_requests import FaultyRequests
from hydra.venues.simulated.server.faults.request_faults import RequestFault, RequestRule
from hydra.venues.simulated.server.rest.app import rest_app
from hydra.venues.simulated.server.rest.keys import ApiKeys
from hydra.venues.simulated.server.rest.settings import DataPlan, RestTerms
from hydra.venues.simulated.server.streams.open_transports import OpenTransports
from tests.venues.server.rest.asgi import KEYS, Answer, call
from tests.venues.server.rest.wire_values import instant

MINUTE_NS = 60_000_000_000
NOW = "2026-11-23T14:31:07.402118733Z"
SATURDAY = "2026-11-28T16:00:00Z"
CALL, HIGHER_CALL = "HYDR261218C00042000", "HYDR261218C00045000"
KEY_PAIR = ApiKeys(KEYS["apca-api-key-id"], KEYS["apca-api-secret-key"])
FREE = RestTerms(trading_per_minute=1000, data_per_minute=1000, plan=DataPlan.PLUS)

PRICES = {
    "HYDR": 41.20,
    "NOVA": 19.50,
    "HALT": 10.0,
    "PENY": 2.0,
    "BTC/USD": 61_200.0,
    "ETH/USD": 3_100.0,
}
SPANS = (
    ("2026-11-20T20:55:00Z", 5),
    ("2026-11-23T14:30:00Z", 6),
    ("2026-11-23T20:55:00Z", 5),
    ("2026-12-18T20:20:00Z", 40),
)


def at(text: str) -> int:
    found = instant(text)
    assert found is not None
    return found


def minute_bar(symbol: str, start_at: int, number: int) -> Bar:
    """Rises a little from minute to minute, so that no two bars are the same."""
    step = 0.01 if PRICES[symbol] < 1000 else 1.0
    opened = round(PRICES[symbol] + step * number, 2)
    return Bar(
        symbol,
        start_at,
        start_at + MINUTE_NS,
        opened,
        round(opened + 3 * step, 2),
        round(opened - 2 * step, 2),
        round(opened + 2 * step, 2),
        8412.0 if step < 1 else 0.25,
    )


@cache
def bars() -> tuple[Bar, ...]:
    return tuple(
        minute_bar(symbol, at(start) + minute * MINUTE_NS, minute)
        for start, minutes in SPANS
        for minute in range(minutes)
        for symbol in sorted(PRICES)
    )


class ExampleTape(Tape):
    """The market, with one share that cannot be traded and one that cannot be divided."""

    def asset(self, name: str) -> Asset | None:
        found = super().asset(name)
        if found is not None and found.symbol == "HALT":
            return replace(found, tradable=False)
        if found is not None and found.symbol == "PENY":
            return replace(found, fractionable=False)
        return found


@cache
def calendar() -> SessionTable:
    return exchange_sessions("2026-11-01", "2027-12-31", None)


@cache
def tape() -> Tape:
    days = ("2026-11-20", "2026-11-23", "2026-12-18")
    sessions = [calendar().of_date(day) for day in days]
    data = MarketData(
        bars=bars(),
        sessions=SessionTable(tuple(each for each in sessions if each is not None)),
        symbols=tuple(sorted(PRICES)),
        origin="made up for tests",
    )
    return ExampleTape(data, calendar(), MarketTerms())


class Stage:
    """A venue of its own at `NOW`, in virtual time, and how to speak to it."""

    def __init__(
        self,
        *,
        now: str = NOW,
        terms: BrokerageTerms | None = None,
        rest: RestTerms = FREE,
        splits: tuple[Split, ...] = (),
    ) -> None:
        clock = VenueClock(tape().begins_at, 0, lambda: 0)
        self.venue = LocalVenue(
            tape(),
            Brokerage(terms or BrokerageTerms(), tape()),
            clock,
            splits=splits,
            skips_nights=False,
            wall_clock=lambda: 0,
        )
        self.app: ASGIApp = rest_app(self.venue, KEY_PAIR, rest)
        self.come_to(now)

    def come_to(self, text: str) -> None:
        asyncio.run(self.venue.move_to(at(text)))

    def act(self, act: Act) -> None:
        self.venue.act(act)

    def fill(self, order: dict[str, Any], qty: str, price: str) -> None:
        """An execution out of thin air, so that a situation does not hang on the market."""
        self.act(FillOrder(order_id=order["id"], quantity=Decimal(qty), price=Decimal(price)))

    def spoil(self, fault: RequestFault) -> None:
        """From now on this happens to every request."""
        rules: ArmedRules[RequestRule] = ArmedRules(count(1))
        rules.arm(RequestRule(fault=fault, times=None))
        self.app = FaultyRequests(self.app, rules, OpenTransports())

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        **more: Any,
    ) -> Answer:
        return call(self.app, method, path, query, body, **more)

    def place(self, **fields: object) -> dict[str, Any]:
        """Place an order that is taken; gives it as it stands after that."""
        answer = self.ask("POST", "/v2/orders", body={**LIMIT, **fields})
        assert answer.status == 200, answer.content
        order: dict[str, Any] = self.ask("GET", f"/v2/orders/{answer.json['id']}").json
        return order

    def buy(self, symbol: str = "HYDR", qty: str = "12", **fields: object) -> dict[str, Any]:
        """Buy at the market what is filled at once."""
        order = self.place(
            symbol=symbol, qty=qty, type="market", limit_price=None, **{**in_time(symbol), **fields}
        )
        assert order["status"] == "filled", order
        return order

    def rest(self, **fields: object) -> dict[str, Any]:
        """A purchase far below the market, which waits."""
        return self.place(limit_price="35", **fields)


LIMIT = {
    "symbol": "HYDR",
    "qty": "12",
    "side": "buy",
    "type": "limit",
    "limit_price": "41.27",
    "time_in_force": "day",
}


def in_time(symbol: str) -> dict[str, str]:
    return {"time_in_force": "gtc" if "/" in symbol else "day"}
