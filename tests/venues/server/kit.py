"""A small made-up market, a venue on it in virtual time, and that venue on a loopback port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.venues.simulated.brokerage.acts import Act
from hydra.venues.simulated.brokerage.answers import Answered
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.orders import BrokerOrder, TradeUpdate
from hydra.venues.simulated.brokerage.requests import BrokerRequest
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.market.splits import Split
from hydra.venues.simulated.market.tape import MarketTerms, Tape
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.clock import VenueClock
from hydra.venues.simulated.server.driver import LEAD_NS, LocalVenue
from hydra.venues.simulated.server.rest.keys import ApiKeys
from hydra.venues.simulated.server.rest.settings import DataPlan, RestTerms
from hydra.venues.simulated.server.serve import serve

T = TypeVar("T")

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
KEYS = ApiKeys("HYDRA0001", "a secret")
HEADERS = {"APCA-API-KEY-ID": KEYS.key_id, "APCA-API-SECRET-KEY": KEYS.secret}
TOKEN = "an admin's token"
FREE = RestTerms(trading_per_minute=None, data_per_minute=None, plan=DataPlan.PLUS)
TERMS = AppTerms(keys=KEYS, rest=FREE, admin_token=TOKEN)

OPEN = int(datetime(2026, 1, 5, 14, 30, tzinfo=UTC).timestamp()) * SECOND
"""The open of Monday 2026-01-05."""
PATIENCE_S = 10.0
"""Machine seconds after which a test gives up."""


@cache
def sessions() -> SessionTable:
    """Every weekday of a year and a half, 14:30 to 21:00 UTC."""
    days = (date(2025, 12, 15) + timedelta(days=number) for number in range(560))
    return SessionTable(
        tuple(
            ExchangeSession(day.isoformat(), _opening(day), _opening(day) + 390 * MINUTE, False)
            for day in days
            if day.weekday() < 5
        )
    )


def bar(
    symbol: str,
    minute: int,
    opens: float,
    high: float,
    low: float,
    close: float,
    volume: float = 400.0,
) -> Bar:
    """The bar of a minute after the open."""
    start = OPEN + minute * MINUTE
    return Bar(symbol, start, start + MINUTE, opens, high, low, close, volume)


def rising(symbol: str, minutes: int, first: float = 100.0) -> list[Bar]:
    """A bar a minute; each opens where the one before closed, and closes 10 cents higher."""
    opens = [round(first + 0.1 * minute, 2) for minute in range(minutes)]
    return [
        bar(symbol, minute, at, round(at + 0.2, 2), round(at - 0.1, 2), round(at + 0.1, 2))
        for minute, at in enumerate(opens)
    ]


def market(*bars: Bar) -> MarketData:
    """These bars, on Mondays' sessions and the like."""
    ordered = sorted(bars, key=lambda each: (each.end_at, each.symbol))
    dates = {
        datetime.fromtimestamp(each.start_at / SECOND, UTC).date().isoformat() for each in bars
    }
    played = tuple(session for session in sessions().sessions if session.date in dates)
    return MarketData(
        bars=tuple(ordered),
        sessions=SessionTable(played),
        symbols=tuple(sorted({each.symbol for each in bars})),
        origin="made up for tests",
    )


def tape_of(data: MarketData, terms: MarketTerms | None = None) -> Tape:
    return Tape(data, sessions(), terms)


class MachineClock:
    """Machine time that passes when told."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


class QuietBrokerage(Brokerage):
    """Has no orders. It notes what it is told of the market, and does what a test tells it to."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, object]] = []
        self.updates: dict[int, tuple[TradeUpdate, ...]] = {}
        """What it tells when it comes to a time."""

    def receive(self, request: BrokerRequest, at: int) -> Answered:
        self.heard.append(("request", at))
        return Answered(None)

    def act(self, act: Act, at: int) -> tuple[TradeUpdate, ...]:
        self.heard.append(("act", act))
        return ()

    def bar_begins(self, bar: Bar, at: int) -> tuple[TradeUpdate, ...]:
        self.heard.append(("begins", bar))
        return ()

    def bar_ends(self, bar: Bar) -> tuple[TradeUpdate, ...]:
        self.heard.append(("ends", bar))
        return ()

    def come_to(self, at: int) -> tuple[TradeUpdate, ...]:
        self.heard.append(("comes to", at))
        return self.updates.pop(at, ())

    def order(self, order_id: str) -> BrokerOrder | None:
        return None

    @property
    def sessions(self) -> SessionTable:
        return sessions()

    @property
    def executions(self) -> int:
        return 0


def venue_on(
    *bars: Bar,
    brokerage: Brokerage | None = None,
    terms: BrokerageTerms | None = None,
    splits: tuple[Split, ...] = (),
    skips_nights: bool = False,
) -> LocalVenue:
    """A venue in virtual time, a minute before the first of these bars."""
    tape = tape_of(market(*bars))
    return LocalVenue(
        tape,
        brokerage or Brokerage(terms or BrokerageTerms(), tape),
        VenueClock(tape.begins_at - LEAD_NS, 0, lambda: 0),
        splits=splits,
        skips_nights=skips_nights,
        wall_clock=lambda: 0,
    )


@asynccontextmanager
async def served(venue: LocalVenue, terms: AppTerms = TERMS) -> AsyncIterator[int]:
    """The venue on a loopback port, on this event loop; gives the port."""
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(venue, terms, port=0, ready=address.set_result, stop=stop))
    try:
        yield int((await asyncio.wait_for(address, PATIENCE_S)).rpartition(":")[2])
    finally:
        stop.set()
        await asyncio.wait_for(serving, PATIENCE_S)


async def nothing_left() -> None:
    """As `asyncio.run` ends: a connection that came in just now has a task, and a transport."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await asyncio.sleep(0)  # what was closed is told so in the loop's next turn


def in_loop(test: Callable[[], Awaitable[T]]) -> T:
    """Run a test's coroutine to its end, within its patience."""

    async def bounded() -> T:
        return await asyncio.wait_for(test(), 3 * PATIENCE_S)

    return asyncio.run(bounded())


def types_of(frames: Sequence[Sequence[dict[str, Any]]]) -> list[list[str]]:
    """The T of each message of each frame."""
    return [[message["T"] for message in frame] for frame in frames]


def _opening(day: date) -> int:
    opens = datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC)
    return int(opens.timestamp()) * SECOND
