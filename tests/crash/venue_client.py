"""A client of the local venue that keeps a record, to be killed; and the venue, to be killed too.

The client is an engine reduced to its order path: what it means to send is on record before it is
sent through the adapter, and what it hears is on record as it comes. So the judge of engines judges
it. Both are functions for a process that was forked with everything imported: what a start costs
otherwise is the imports.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, Queue
from time import monotonic, monotonic_ns

from msgspec import structs

from hydra.crash_points import VARIABLE
from hydra.ops.venue.serving import VenueOptions, serve_venue
from hydra.ports import GateKey
from hydra.runtime.gate import UNLIMITED_LEASE, Gate
from hydra.settings.secret import Secret
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.testkit.judge.case import MARKET, OVER
from hydra.trading.durations import SECOND
from hydra.trading.orders import OrderType
from hydra.trading.venue_view import VenueSnapshot
from hydra.venues.alpaca.budget import Shares
from hydra.venues.alpaca.http import HttpClient, Keys
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.venue import AlpacaTerms, AlpacaVenue
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from messages.order_events import reports_of
from messages.orders import OrderAbsent, Outcome, client_order_id_of
from messages.reconciliation import (
    OrderFound,
    OrderNotFound,
    ReconcileNow,
    SnapshotFailed,
    SnapshotTaken,
    VenueWord,
)
from messages.streams import StreamConnected, StreamGap, StreamLost
from tests.store.orders import AT, approved, decision

SYMBOL = "AAPL"
KEY_ID, SECRET = "HYDRA0001", "not-a-secret"
SPEED = 300.0
"""A session takes 78 seconds: no story comes to its end."""
NEAR = (11_400, 12_000)
"""Cents, between which the market's prices are for a while."""
AFTER_THE_MARKET = 1_900_000_000_000_000_000
"""The adapter's market time (UTC ns): every minute in which requests are counted has passed."""
IN_FLIGHT_MAX = 4
SETTLES_WITHIN_S = 20.0
TRADING, SETTLED = "trading", "settled"
_KEY = GateKey("/client", 1)


def files_in(folder: Path) -> EngineFiles:
    """Where record and venue lie."""
    return EngineFiles.under(folder / "state", folder / "logs", "ledger.db", "journal.jsonl")


def serve(folder: Path, cache: Path, port: int, place: str | None, out: Connection) -> None:
    """Be the venue of this folder, which dies at `place`; its standard output goes to `out`."""
    os.environ.update(ALPACA_KEY=KEY_ID, ALPACA_SECRET=SECRET)
    if place is not None:
        os.environ[VARIABLE] = place
    os.dup2(out.fileno(), 1)
    options = VenueOptions(
        port=port,
        symbols=(SYMBOL,),
        speed=SPEED,
        skip_nights=True,
        state_dir=files_in(folder).venue_account.parent,
        cache_dir=cache,
    )
    raise SystemExit(serve_venue(options))


def trade(folder: Path, url: str, seed: int, life: int, out: Connection) -> None:
    """Be the client, until killed."""
    client = Client(folder, url, seed, life)
    client.look_for_all()
    out.send(TRADING)
    client.trade()


def settle(folder: Path, url: str, seed: int, life: int, out: Connection) -> None:
    """Be the client for the last time: end what is open, find out everything, end in order."""
    client = Client(folder, url, seed, life)
    client.settle()
    out.send(SETTLED)


class Client:
    """One life of it."""

    def __init__(self, folder: Path, url: str, seed: int, life: int) -> None:
        self._dice = random.Random(f"{seed} {life}")
        self._life = life
        self._numbers = 0
        self._at = AT + life * SECOND
        self._told: Queue[VenueWord] = Queue()
        self._waited_for: set[str] = set()
        self._snapshots: list[VenueSnapshot] = []
        self._record = EngineRecord.open(
            files_in(folder),
            Owner(
                venue="embedded",
                account="account-1",
                version="1.0.0",
                configuration="c" * 64,
                at=self._at,
            ),
            goes_on=lambda _: True,
        )
        if self._record.ledger.opening_cash is None:
            self._record.ledger.open_account(BrokerageTerms().starting_cash, self._at)
            self._record.ledger.commit()
        self._gate = Gate(monotonic_ns)
        self._gate.register(_KEY)
        self._gate.renew_lease(UNLIMITED_LEASE)
        self._gate.arm((), "a test", self._gate.epoch)
        self._venue = AlpacaVenue(
            HttpClient(url, Keys(Secret(KEY_ID), Secret(SECRET)), Network(loopback_only=True)),
            self._gate,
            terms=AlpacaTerms(
                # A venue that is killed fails often, and a life is too short for a minute's budget.
                failures_max=1_000_000,
                shares=Shares(a_minute=1_000_000),
            ),
            market_time=lambda: AFTER_THE_MARKET,
            machine_time=monotonic_ns,
            tell=self._told.put,
        )
        self._append("preflight_passed")
        self._append("trading_state", causes=[])

    def look_for_all(self) -> None:
        """What earlier lives left open, without waiting for the answers."""
        for record in self._record.ledger.open_orders():
            self._look_up(record.state.order.client_order_id)

    def trade(self) -> None:
        """Send, cancel, look, for ever."""
        while True:
            self._hear(within_s=0.002)
            if len(self._waited_for) < IN_FLIGHT_MAX:
                self._dice.choices(list(_STEPS), list(_STEPS.values()))[0](self)

    def send(self) -> None:
        """A new order: on record, and then on its way."""
        self._numbers += 1
        key = decision(self._numbers, bot=f"client-{self._life}")
        price = Decimal(self._dice.randint(*NEAR)).scaleb(-2)
        limit = {"order_type": OrderType.LIMIT, "limit_price": price}
        content = self._dice.choice(({}, limit, limit))
        one = approved(key, quantity=Decimal(self._dice.randint(1, 5)), **content)
        one = structs.replace(one, epoch=self._gate.epoch, expires_at=monotonic_ns() + 5 * SECOND)
        recorded = self._record.ledger.record_intent(one, self._at)
        assert not recorded.duplicate, "its name is new"
        self._record.ledger.commit()
        self._waited_for.add(recorded.client_order_id)
        self._venue.submit(one, _KEY)

    def cancel(self) -> None:
        """Any order that is open."""
        self._of_any_open(lambda name: self._venue.cancel(name, _KEY))

    def look(self) -> None:
        """The same: what became of it?"""
        self._of_any_open(self._look_up)

    def settle(self) -> None:
        """Nothing is open afterwards, and everything is on record."""
        until = monotonic() + SETTLES_WITHIN_S
        ledger = self._record.ledger
        while True:
            assert monotonic() < until, f"still open: {ledger.open_orders()}"
            self._venue.cancel_all(_KEY)
            there = self._names_there(until)
            for record in ledger.open_orders():
                name = record.state.order.client_order_id
                if name not in there:
                    self._book(OrderAbsent(client_order_id=name, reason="not there", at=self._at))
            if not ledger.open_orders():
                break
        assert self._venue.close(within_s=5.0)
        ledger.put(MARKET, OVER, self._at)
        ledger.commit()
        self._record.end("settled", self._at)
        self._record.close()

    def _names_there(self, until: float) -> set[str]:
        """Book all that a snapshot says; the names of all orders in it."""
        number = len(self._snapshots) + 1
        self._venue.take_snapshot(number, 0, _KEY)
        while len(self._snapshots) < number:
            assert monotonic() < until, "no snapshot"
            self._hear(within_s=0.05)
        return {each.order.client_order_id for each in self._snapshots[-1].orders}

    def _of_any_open(self, act: Callable[[str], None]) -> None:
        names = [each.state.order.client_order_id for each in self._record.ledger.open_orders()]
        if names:
            act(self._dice.choice(names))

    def _look_up(self, name: str) -> None:
        self._waited_for.add(name)
        self._venue.look_up(name, _KEY)

    def _hear(self, within_s: float) -> None:
        try:
            told = self._told.get(timeout=within_s)
        except Empty:
            return
        match told:
            case SnapshotTaken(snapshot=snapshot):
                for order in snapshot.orders:
                    name = order.order.client_order_id
                    own = [fill for fill in snapshot.fills if fill.client_order_id == name]
                    for report in reports_of(order, own, self._at):
                        self._book(report)
                self._snapshots.append(snapshot)
            case SnapshotFailed():
                self._venue.take_snapshot(0, 0, _KEY)
            case OrderFound(client_order_id=name, found=found, fills=fills):
                self._waited_for.discard(name)
                for report in reports_of(found, fills, self._at):
                    self._book(report)
            case OrderNotFound(client_order_id=name):
                self._waited_for.discard(name)
            case ReconcileNow() | StreamConnected() | StreamLost() | StreamGap():
                pass  # it keeps no stream, and compares at the end
            case _:
                self._waited_for.discard(client_order_id_of(told))
                self._book(told)

    def _book(self, report: Outcome) -> None:
        self._record.ledger.record_report(report, self._at)
        self._record.ledger.commit()

    def _append(self, event: str, **fields: object) -> None:
        self._at += 1
        self._record.journal.append({"ts": self._at, "event": event, **fields})


_STEPS: dict[Callable[[Client], None], int] = {Client.send: 6, Client.cancel: 1, Client.look: 2}
"""How often each comes, compared with the others."""
