"""In which steps the broker trades a coin, as it says itself."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from hydra.ops.broker_facts import coin_terms_of
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.situation import PriceStep
from hydra.venues.alpaca.payloads import read_asset

COIN = {
    "id": "276e2673-764b-4ab6-a611-caf665ca6340",
    "class": "crypto",
    "symbol": "BTC/USD",
    "status": "active",
    "tradable": True,
    "min_trade_increment": "0.000000001",
    "price_increment": "0.01",
}


def asset(**changes: Any) -> bytes:
    return msgspec.json.encode({**COIN, **changes})


def test_the_steps_of_a_coin_are_those_of_its_asset_i35() -> None:
    found = coin_terms_of(read_asset(asset(price_increment="0.5", min_trade_increment="0.0001")))

    assert found == CoinTerms(
        quantity_step=Decimal("0.0001"), price_steps=(PriceStep(Decimal(0), Decimal("0.5")),)
    )


@pytest.mark.parametrize("text", [None, "", "0", "-0.01", "NaN", "Infinity", "a cent"])
@pytest.mark.parametrize("key", ["price_increment", "min_trade_increment"])
def test_a_coin_whose_steps_cannot_be_read_is_not_traded_i35(key: str, text: str | None) -> None:
    assert coin_terms_of(read_asset(asset(**{key: text}))) is None


def test_a_share_has_no_steps_of_a_coin() -> None:
    assert coin_terms_of(read_asset(asset(symbol="AAPL"))) is None
