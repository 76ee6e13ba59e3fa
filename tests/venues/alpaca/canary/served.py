"""A canary on the local venue, where market time goes on while it looks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from time import monotonic
from typing import Any, TypeAlias

import pytest

from hydra.settings.secret import Secret
from hydra.settings.section import VenueName
from hydra.trading.bars import Bar
from hydra.trading.differences import DifferenceKind
from hydra.trading.order_differences import order_differences
from hydra.trading.venue_view import VenueSnapshot
from hydra.venues.alpaca.access import Access, local_addresses
from hydra.venues.alpaca.budget import Shares, Use
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.canary import desk, probing
from hydra.venues.alpaca.canary.lines import Verdict
from hydra.venues.alpaca.canary.whole import Means, Whole, look_whole
from hydra.venues.alpaca.coin_names import CoinNames
from hydra.venues.alpaca.execution_names import ExecutionNames
from hydra.venues.alpaca.known_orders import KnownOrders
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.reads import RestReads
from hydra.venues.alpaca.snapshot import read_snapshot
from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.rest.keys import ApiKeys
from tests.venues.server.clients import admin, http
from tests.venues.server.kit import (
    FREE,
    MINUTE,
    OPEN,
    PATIENCE_S,
    SECOND,
    TOKEN,
    bar,
    in_loop,
    rising,
    served,
    venue_on,
)

KEYS = ApiKeys("HYDRA0001", "a-secret")
HEADERS = {"APCA-API-KEY-ID": KEYS.key_id, "APCA-API-SECRET-KEY": KEYS.secret}
TERMS = AppTerms(keys=KEYS, rest=FREE, admin_token=TOKEN)
SHARE, COIN = "HYDR", "BTC/USD"
RUN = "20260105T143500Z-test"

Plant: TypeAlias = tuple[str, dict[str, Any]]
"""A path of the admin's, and what it is told."""


def access_to(port: int) -> Access:
    return Access(
        local_addresses(f"http://127.0.0.1:{port}"),
        Secret(KEYS.key_id),
        Secret(KEYS.secret),
        Network(loopback_only=True),
    )


def means_of(venue: LocalVenue, run: str = RUN, **changes: Any) -> Means:
    fields: dict[str, Any] = {
        "mode": VenueName.EMBEDDED,
        "run": run,
        "shares": (SHARE,),
        "coins": (COIN,),
        "bound_account": None,
        "barred": lambda: None,
        "minutes_by": venue.now,
        "market_time": venue.now,
    }
    return Means(**(fields | changes))


class Scene:
    """The venue, five minutes after the open, and what it is asked besides the canary."""

    def __init__(self, venue: LocalVenue, port: int) -> None:
        self.venue = venue
        self.port = port

    async def plant(self, *plants: Plant) -> None:
        for path, order in plants:
            await admin(self.port, "POST", path, order)

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        return (await http(self.port, method, path, body, HEADERS)).json

    async def look(self, **changes: Any) -> Whole:
        """One run, while market time goes on."""
        looking = asyncio.ensure_future(asyncio.to_thread(self._looked, changes))
        while not looking.done():
            await self.venue.move_to(self.venue.now() + SECOND // 10)
            await asyncio.sleep(0.005)
        return await looking

    async def differences(self) -> list[DifferenceKind]:
        """What an engine would find that has never traded, and compares itself with the account."""
        snapshot = await asyncio.to_thread(self._snapshot)
        return [each.kind for each in order_differences({}, [], frozenset(), snapshot)]

    def _snapshot(self) -> VenueSnapshot:
        with closing(access_to(self.port)) as access:
            calls = Calls(
                access.trading,
                Shares(),
                minutes_by=self.venue.now,
                market_time=self.venue.now,
                ended=lambda _: None,
            )
            return read_snapshot(
                RestReads(calls, Use.RECONCILE, None, monotonic() + PATIENCE_S),
                0,
                market_time=self.venue.now,
                known=KnownOrders(),
                names=ExecutionNames(),
                coins=CoinNames(),
                trades_crypto=True,
            )

    def _looked(self, changes: dict[str, Any]) -> Whole:
        with closing(access_to(self.port)) as access:
            return look_whole(access, means_of(self.venue, **changes))


def on_local_venue(test: Callable[[Scene], Awaitable[None]], minute: int = 5) -> None:
    """Run it on a venue of its own, in that minute after the open; the coin trades on at night."""
    coins = [*rising(COIN, 60, first=60_000.0), *evening(COIN)]
    venue = venue_on(*rising(SHARE, 60), *coins)

    async def whole() -> None:
        async with served(venue, TERMS) as port:
            await venue.move_to(OPEN + minute * MINUTE + SECOND)
            await test(Scene(venue, port))

    in_loop(whole)


def evening(symbol: str) -> list[Bar]:
    return [
        bar(symbol, minute, 60_000.0, 60_010.0, 59_990.0, 60_000.0) for minute in range(390, 450)
    ]


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for comes at once here, or never."""
    monkeypatch.setattr(desk, "LOOK_AGAIN_S", 0.02)
    monkeypatch.setattr(desk, "ENDED_WITHIN_S", 1.0)
    monkeypatch.setattr(probing, "UPDATE_WITHIN_S", 1.0)


def checks(whole: Whole, *verdicts: Verdict) -> list[str]:
    """Those of which this was said."""
    return [line.check for line in whole.lines if line.verdict in verdicts]


def line_on(whole: Whole, check: str) -> str:
    (found,) = (line.line for line in whole.lines if line.check == check)
    return found


def news_in(whole: Whole) -> Sequence[str]:
    return list(dict.fromkeys(each for line in whole.lines for each in line.news))
