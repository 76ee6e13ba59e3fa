"""Contracts through the adapter on the local venue: record and venue hold the same, in USD too."""

from __future__ import annotations

from decimal import Decimal

from hydra.trading.exact import total
from hydra.trading.orders import Role, Side
from hydra.venues.simulated.server.driver import LocalVenue
from tests.venues.alpaca.test_fees_on_local_venue import Desk, Scene, market_order, scene

__all__ = ["scene"]

CALL = "HYDR260116C00100000"


def test_a_round_trip_in_contracts_compares_clean_to_the_last_digit_i29_i60(scene: Scene) -> None:
    async def test(venue: LocalVenue, desk: Desk) -> None:
        await desk.trade(market_order("buy", Side.BUY, Decimal(2), CALL), Role.ENTRY)
        assert await desk.compare() == []
        assert desk.position == 2

        await desk.trade(market_order("sell", Side.SELL, Decimal(2), CALL), Role.EXIT)
        assert await desk.compare() == []
        assert desk.position == 0
        bought, sold = desk.ledger.fills()
        made = 200 * (sold.price - bought.price)
        (money,) = desk.ledger.sub_ledgers()
        assert made != 0 and (money.cash, money.realised) == (made, made)
        assert desk.fees == [] and total(fee.amount for fee in desk.ledger.fees()) == 0

    scene(test)
