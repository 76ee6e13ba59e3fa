"""Coins through the adapter on the local venue: what it keeps is what the record takes off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from queue import Queue
from time import monotonic_ns

import pytest
from msgspec import structs

from actors.state_persister import StatePersister
from hydra.settings.secret import Secret
from hydra.store.ledger import Ledger
from hydra.testkit import Kit
from hydra.trading.differences import CASH, DifferenceKind
from hydra.trading.exact import multiply
from hydra.trading.fees import ALPACA_FEES, NO_FEES, USD, FeeBasis, FeeSchedule
from hydra.trading.orders import Order, OrderType, Role, Side, TimeInForce
from hydra.venues.alpaca.http import HttpClient, Keys
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.venue import AlpacaTerms, AlpacaVenue
from hydra.venues.simulated.brokerage.acts import ChangeCash, DriftPosition, FillInParts
from hydra.venues.simulated.brokerage.terms import BrokerageTerms
from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.rest.keys import ApiKeys
from messages.orders import OrderAccepted
from messages.reconciliation import (
    COMPARED_TOPIC,
    Compared,
    CompareWithVenue,
    SnapshotTaken,
    VenueWord,
)
from tests.venues.alpaca.samples import approved
from tests.venues.alpaca.venue_world import KEY, TOLD_WITHIN_S, WatchedGate, open_gate
from tests.venues.server.kit import (
    FREE,
    MINUTE,
    OPEN,
    SECOND,
    TOKEN,
    bar,
    in_loop,
    rising,
    served,
    venue_on,
)

BTC = "BTC/USD"
ADAPTERS_KEYS = ApiKeys("HYDRA0001", "a-secret")
TERMS = AppTerms(keys=ADAPTERS_KEYS, rest=FREE, admin_token=TOKEN)
BOUGHT = Decimal("0.333333333")
KEPT = Decimal("0.000833334")
HELD = BOUGHT - KEPT


def market_order(name: str, side: Side, quantity: Decimal, symbol: str = BTC) -> Order:
    return Order(
        client_order_id=f"hy1-20260105-{name}",
        symbol=symbol,
        side=side,
        quantity=quantity,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC if symbol == BTC else TimeInForce.DAY,
    )


class Desk:
    """A ledger with its persister, and the adapter to a venue in the test's own hand."""

    def __init__(self, venue: LocalVenue, port: int, path: Path, fees: FeeSchedule) -> None:
        self._venue = venue
        self.path = path
        self._fees = fees
        self._told: Queue[VenueWord] = Queue()
        self._number = 0
        self._gate: WatchedGate = open_gate()
        keys = Keys(Secret(ADAPTERS_KEYS.key_id), Secret(ADAPTERS_KEYS.secret))
        self.client = HttpClient(f"http://127.0.0.1:{port}", keys, Network(loopback_only=True))
        self._adapter = AlpacaVenue(
            self.client,
            self._gate,
            terms=AlpacaTerms(trades_crypto=True),
            market_time=venue.now,
            machine_time=monotonic_ns,
            tell=self._told.put,
        )
        self.ledger: Ledger
        self.start()

    def start(self) -> None:
        """A new process: all that is not on record is forgotten."""
        self.ledger = Ledger.open(self.path, venue="paper", at=self._venue.now())
        self._kit = Kit(start_at=self._venue.now())
        self._persister = self._kit.start(
            StatePersister,
            ledger=self.ledger,
            gateway=self._kit.probe("gateway").ref,
            guardian=self._kit.probe("guardian").ref,
            fees=self._fees,
        )
        self._compared = self._kit.probe("compared")
        cell = self._kit.runtime.cells[self._compared.ref.path]
        self._kit.runtime.bus.subscribe(COMPARED_TOPIC, cell)

    def restart(self) -> None:
        self.ledger.close()
        self.start()

    def close(self) -> None:
        assert self._adapter.close(within_s=5.0)
        self.client.close()
        self.ledger.close()

    async def trade(self, order: Order, role: Role) -> None:
        """Send it and let the market fill it; of that nothing is told, since there is no stream."""
        wanted = approved(order, role=role, epoch=self._gate.epoch)
        self.ledger.record_intent(wanted, self._venue.now())
        self.ledger.commit()
        self._adapter.submit(wanted, KEY)
        accepted = await self._next_told()
        assert isinstance(accepted, OrderAccepted), accepted
        self.ledger.record_report(accepted, self._venue.now())
        self.ledger.commit()
        await self._venue.move_to(self._venue.now() + 3 * MINUTE)

    async def compare(self) -> list[tuple[DifferenceKind, str]]:
        """Everything is read, taken up and compared; gives what differs."""
        self._number += 1
        self._adapter.take_snapshot(self._number, 0, KEY)
        taken = await self._next_told()
        assert isinstance(taken, SnapshotTaken), taken
        comparing = CompareWithVenue(number=self._number, snapshot=taken.snapshot)
        self._kit.runtime.tell(self._persister, comparing)
        self._kit.settle()
        compared = self._compared.told[-1]
        assert isinstance(compared, Compared)
        return [(each.kind, each.subject) for each in compared.differences]

    @property
    def position(self) -> Decimal:
        (held,) = self.ledger.inventories()
        return held.inventory.position

    @property
    def fees(self) -> list[tuple[str, Decimal, FeeBasis]]:
        return [(fee.asset, fee.amount, fee.basis) for fee in self.ledger.fees()]

    async def _next_told(self) -> VenueWord:
        return await asyncio.to_thread(self._told.get, timeout=TOLD_WITHIN_S)


Scene = Callable[[Callable[[LocalVenue, Desk], Awaitable[None]]], None]


@pytest.fixture(params=[ALPACA_FEES])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    """Runs a test on a venue that has played ten minutes, and that has been compared once."""

    def play(test: Callable[[LocalVenue, Desk], Awaitable[None]]) -> None:
        coins = rising(BTC, 60)
        coins[12] = bar(BTC, 12, 101.2, 101.4, 100.0, 101.3)  # it dips once
        venue = venue_on(*coins, *rising("HYDR", 60), terms=BrokerageTerms())

        async def whole() -> None:
            async with served(venue, TERMS) as port:
                await venue.move_to(OPEN + 10 * MINUTE + SECOND)
                desk = await asyncio.to_thread(
                    Desk, venue, port, tmp_path / "ledger.db", request.param
                )
                try:
                    assert await desk.compare() == []
                    await test(venue, desk)
                finally:
                    await asyncio.to_thread(desk.close)

        in_loop(whole)

    return play


def test_a_round_trip_in_coins_compares_clean_to_the_last_digit_i23_i60_i61(
    scene: Scene,
) -> None:
    async def test(venue: LocalVenue, desk: Desk) -> None:
        await desk.trade(market_order("buy", Side.BUY, BOUGHT), Role.ENTRY)
        assert await desk.compare() == []
        assert (desk.position, desk.fees) == (HELD, [(BTC, KEPT, FeeBasis.BOOKED)])

        await desk.trade(market_order("sell", Side.SELL, HELD), Role.EXIT)
        assert await desk.compare() == []
        assert desk.position == 0
        (sale,) = [fill for fill in desk.ledger.fills() if fill.side is Side.SELL]
        taken = multiply(multiply(HELD, sale.price), Decimal("0.0025"))
        assert desk.fees[1] == (USD, taken, FeeBasis.BOOKED)
        assert await desk.compare() == []

    scene(test)


def test_a_maker_pays_less_and_the_rest_is_the_bots_again(scene: Scene) -> None:
    async def test(venue: LocalVenue, desk: Desk) -> None:
        resting = structs.replace(
            market_order("buy", Side.BUY, BOUGHT),
            order_type=OrderType.LIMIT,
            limit_price=Decimal("100.50"),
        )
        await desk.trade(resting, Role.ENTRY)
        assert await desk.compare() == []

        less = Decimal("0.000500000")
        assert desk.fees == [(BTC, less, FeeBasis.BOOKED)]
        assert desk.position == BOUGHT - less
        assert await desk.compare() == []

    scene(test)


def test_every_part_of_an_execution_has_its_own_fee_and_rounding_i23(scene: Scene) -> None:
    async def test(venue: LocalVenue, desk: Desk) -> None:
        venue.act(FillInParts(shares=(Decimal("0.3"), Decimal("0.11")), symbol=BTC, times=2))
        await desk.trade(market_order("buy", Side.BUY, BOUGHT), Role.ENTRY)
        assert await desk.compare() == []
        await desk.trade(market_order("sell", Side.SELL, desk.position), Role.EXIT)
        assert await desk.compare() == []
        assert [asset for asset, _, _ in desk.fees] == [BTC] * 3 + [USD] * 3
        assert {basis for _, _, basis in desk.fees} == {FeeBasis.BOOKED}
        assert desk.position == 0

    scene(test)


def test_a_restart_in_the_middle_changes_nothing_i23(scene: Scene) -> None:
    async def test(venue: LocalVenue, desk: Desk) -> None:
        await desk.trade(market_order("buy", Side.BUY, BOUGHT), Role.ENTRY)
        desk.restart()
        assert await desk.compare() == []
        assert desk.position == HELD
        desk.restart()
        assert await desk.compare() == []
        assert desk.fees == [(BTC, KEPT, FeeBasis.BOOKED)]
        await desk.trade(market_order("sell", Side.SELL, HELD), Role.EXIT)
        desk.restart()
        assert await desk.compare() == []
        assert [basis for _, _, basis in desk.fees] == [FeeBasis.BOOKED] * 2
        money = desk.ledger.sub_ledgers()
        opening = desk.ledger.opening_cash
        assert opening is not None and len(money) == 1
        assert money[0].cash == money[0].realised < 0

    scene(test)


@pytest.mark.parametrize("activity", ["", "JNLS", "CFEE"])
def test_what_is_gone_beyond_the_fee_is_a_difference_whatever_it_is_called_i29(
    scene: Scene, activity: str
) -> None:
    async def test(venue: LocalVenue, desk: Desk) -> None:
        await desk.trade(market_order("buy", Side.BUY, BOUGHT), Role.ENTRY)
        venue.act(DriftPosition(symbol=BTC, quantity=Decimal("-0.0001"), activity=activity))

        assert await desk.compare() == [(DifferenceKind.POSITION, BTC)]
        assert desk.position == HELD

    scene(test)


def test_a_fee_of_the_day_is_the_accounts_and_a_greater_one_is_a_difference_i29(
    scene: Scene,
) -> None:
    async def test(venue: LocalVenue, desk: Desk) -> None:
        await desk.trade(market_order("buy", Side.BUY, Decimal(2), "HYDR"), Role.ENTRY)
        assert await desk.compare() == []
        venue.act(ChangeCash(amount=Decimal("-0.02"), activity="FEE", description="TAF fee"))

        assert await desk.compare() == []
        assert desk.fees == [(USD, Decimal("0.02"), FeeBasis.BOOKED)]
        assert await desk.compare() == []
        venue.act(ChangeCash(amount=Decimal(-2), activity="FEE", description="TAF fee"))
        assert await desk.compare() == [(DifferenceKind.CASH, CASH)]

    scene(test)


@pytest.mark.parametrize("scene", [NO_FEES], indirect=True)
def test_a_record_that_expects_no_fee_halts_on_the_first_one_i29(scene: Scene) -> None:
    async def test(venue: LocalVenue, desk: Desk) -> None:
        await desk.trade(market_order("buy", Side.BUY, BOUGHT), Role.ENTRY)

        assert await desk.compare() == [(DifferenceKind.POSITION, BTC)]

    scene(test)
