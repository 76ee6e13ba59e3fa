"""The whole engine on the REST face, in a storm of faults: requests are attempts on record (I20).

On threads and real sockets. What is counted at the venue is what came to it, by its own log.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic

import msgspec
import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.assembly import assemble_on, tell_gateway
from hydra.runtime.clock import FollowedClock, machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.settings import Settings
from hydra.settings.secret import Secret
from hydra.store.ledger import Ledger
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import DecisionKey, Role, Side
from hydra.trading.trading_state import TradingState
from hydra.venues.alpaca.access import Access, local_addresses
from hydra.venues.alpaca.link import AlpacaLink
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.venue import AlpacaTerms
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.terms import ACCOUNT_NUMBER, BrokerageTerms
from hydra.venues.simulated.market.tape import Tape
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.clock import VenueClock
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.log_lines import RequestArrived, RequestReceived, VenueLine
from messages.orders import OrderIntent, client_order_id_of
from supervisors import paths
from tests.contracts.venues.rest import ALL_REQUESTS, KEYS
from tests.contracts.venues.served import Served
from tests.contracts.venues.storms import drawn
from tests.engine.scenery import OPEN_AT, WIDE, ListJournal, bars_of, market_of, settings_with
from tests.venues.server.kit import FREE, TOKEN

SYMBOLS = tuple(f"HY{letter}" for letter in "ABCDEFGHIJKLMNOP")
BEGINS_AT = OPEN_AT + 7 * MINUTE
"""The bots' trading windows are open."""
SPEED = 20.0
STORM_S_MAX = 15.0
CALM_S_MAX = 20.0
"""An order whose outcome is unknown is looked for again and again, with growing pauses."""
CALL_WITHIN_S = 0.5
ENOUGH = 25
"""Attempts without which a storm has shown nothing."""


class Storm:
    """The engine, the venue that it trades at, and what is on the record of each."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._random = random.Random(seed)
        self._signals = count(1)
        self._lines: list[VenueLine] = []
        self._clock = FollowedClock(BEGINS_AT)
        data = market()
        self.served = self._serve(data)
        self.runtime = ThreadRuntime(journal=paths.JOURNAL_WRITER, market_clock=self._clock)
        self.ledger = Ledger.open(folder / "ledger.db", venue="embedded", at=BEGINS_AT)
        self.journal = ListJournal()
        self._link = self._link_to(self.served.url)
        self._tree = assemble_on(
            settings(),
            data,
            runtime=self.runtime,
            venue=self._link.venue,
            account=ACCOUNT_NUMBER,
            ledger=self.ledger,
            journal=self.journal,
            price_feed=self._link.feed,
            price_age_max=30 * SECOND,
        ).tree

    def _serve(self, data: MarketData) -> Served:
        """The venue, whose clock the engine goes by."""
        tape = Tape(data, data.sessions)
        clock = VenueClock(BEGINS_AT, SPEED, machine_time)
        clock.on_change(self._clock.follow)
        venue = LocalVenue(tape, Brokerage(BrokerageTerms(), tape), clock, wall_clock=lambda: 0)
        venue.record_in(self._lines.append)
        return Served(venue, AppTerms(keys=KEYS, rest=FREE, admin_token=TOKEN))

    def _link_to(self, url: str) -> AlpacaLink:
        voice = self.runtime.outside("market")
        key_id, secret = Secret(KEYS.key_id), Secret(KEYS.secret)
        return AlpacaLink(
            Access(local_addresses(url), key_id, secret, Network(loopback_only=True)),
            self.runtime.gate,
            symbols=SYMBOLS,
            terms=AlpacaTerms(shares=ALL_REQUESTS, failures_max=1_000, call_within_s=CALL_WITHIN_S),
            market_time=lambda: self._clock.at(machine_time()),
            machine_time=machine_time,
            minutes_by=machine_time,
            tell_gateway=tell_gateway(self.runtime),
            tell_feed=lambda message: voice.tell(paths.DATA_FEED, message),
            tell=lambda path, message: voice.tell(Ref(path), message),
        )

    def begin(self) -> None:
        """Start the engine, and wait until it may trade."""
        self.runtime.start_watch()
        assert self.runtime.start_and_wait(self._tree, within=10.0)
        self._link.start()
        deadline = monotonic() + 20.0
        while self.runtime.gate.state is not TradingState.ACTIVE:
            assert monotonic() < deadline, self.runtime.gate.standing()
            Event().wait(0.01)

    def rage(self) -> None:
        """Decide in the bots' names, while anything may befall what is sent."""
        for _ in range(200):
            self.served.admin(
                "POST",
                "/rules/requests",
                {"fault": drawn(self._random), "method": "POST", "path": "/v2/orders"},
            )
        ends = monotonic() + STORM_S_MAX
        while monotonic() < ends and len(self.arrivals) < 2 * ENOUGH:
            self._decide()
            Event().wait(self._random.uniform(0.005, 0.1))

    def calm(self) -> None:
        """All is well again; wait until the engine knows of every order that the venue has."""
        self.served.admin("DELETE", "/rules")
        deadline = monotonic() + CALM_S_MAX
        while not self._proven() >= {each.client_order_id for each in self.carried_out}:
            assert monotonic() < deadline, self.carried_out
            Event().wait(0.05)

    def end(self) -> None:
        """Send nothing more, and end everything in good order."""
        assert self.runtime.stop_tree("the test is over", within=10.0)
        assert self._link.stop(within_s=10.0)

    def close(self) -> None:
        """End whatever has not ended."""
        self.runtime.stop_tree("the test is over", within=10.0)
        self.runtime.close()
        self._link.stop(within_s=1.0)
        self.served.close()
        self.ledger.close()

    @property
    def carried_out(self) -> list[PlaceOrder]:
        """The orders that came to the brokerage behind it."""
        requests = [line.request for line in self._lines if isinstance(line, RequestReceived)]
        return [each for each in requests if isinstance(each, PlaceOrder)]

    @property
    def arrivals(self) -> list[RequestArrived]:
        """The orders that came to the venue, whatever became of them there."""
        return [
            line
            for line in self._lines
            if isinstance(line, RequestArrived) and line.method == "POST"
        ]

    def _proven(self) -> set[str]:
        """The orders of which it is on record that the venue had them."""
        return {
            client_order_id_of(record["content"])
            for record in self.journal.events("report_stored")
            if record["report"] in ("OrderAccepted", "OrderFilled")
        }

    def _decide(self) -> None:
        symbol = self._random.choice(SYMBOLS)
        is_entry = self._random.random() < 0.75
        self.runtime.tell(
            paths.RISK_GUARDIAN,
            OrderIntent(
                decision=DecisionKey(
                    bot=f"mom_{symbol}",
                    symbol=symbol,
                    session="2016-04-15",
                    signal=next(self._signals),
                    role=Role.ENTRY if is_entry else Role.EXIT,
                ),
                side=Side.BUY if is_entry else Side.SELL,
                quantity=Decimal(1),
                reason="a storm",
                decided_at=self._clock.at(machine_time()),
                reference_price=Decimal(100),
                protective_stop=Decimal("99.5") if is_entry else None,
            ),
        )


def market() -> MarketData:
    """Quiet prices, so that whatever is meant can be paid."""
    bars = [bar for symbol in SYMBOLS for bar in bars_of([100.0] * 120, symbol)]
    return market_of(tuple(sorted(bars, key=lambda bar: (bar.end_at, bar.symbol))))


class Sent(msgspec.Struct):
    """What is read of the body of an order."""

    client_order_id: str
    symbol: str
    side: Side
    qty: Decimal


def settings() -> Settings:
    """A bot for each symbol, and limits that let many orders pass."""
    wide = settings_with(
        {**WIDE, "portfoliobot.guardrails.per_bot_min_pct_of_daily_risk": Decimal(1)}
    )
    model = wide.momentum_bots[0]
    bots = tuple(
        model.model_copy(update={"bot_id": f"mom_{symbol}", "ticker": symbol}) for symbol in SYMBOLS
    )
    return wide.model_copy(update={"momentum_bots": bots})


@contextmanager
def storm(folder: Path, seed: int) -> Iterator[Storm]:
    """From its beginning to its end."""
    found = Storm(folder, seed)
    try:
        yield found
    finally:
        found.close()


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_storm_order_requests_are_attempts_in_the_ledger_i13_i14_i15_i20(
    tmp_path: Path, seed: int
) -> None:
    with storm(tmp_path, seed) as world:
        world.begin()
        world.rage()
        world.calm()
        world.end()

        on_record = {each.state.order.client_order_id: each.state for each in world.ledger.orders()}
        attempts = {
            name
            for name, state in on_record.items()
            if state.status not in (OrderStatus.INTENDED, OrderStatus.WITHHELD)
        }
        arrived = [msgspec.json.decode(each.body, type=Sent) for each in world.arrivals]
        names = {each.client_order_id for each in world.carried_out}

        assert len(attempts) >= ENOUGH
        assert sorted(each.client_order_id for each in arrived) == sorted(attempts)
        for each in arrived:
            order = on_record[each.client_order_id].order
            assert (each.symbol, each.side, each.qty) == (
                order.symbol,
                order.side,
                order.quantity,
            )
        assert len(names) == len(world.carried_out) < len(attempts)
        assert names == {
            name for name, state in on_record.items() if state.status is not OrderStatus.UNKNOWN
        }
