"""In which steps the broker trades a coin, as it says itself."""

import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hydra.ops import broker_account
from hydra.ops.broker_facts import broker_facts, coin_terms_of
from hydra.settings.secret import Secret
from hydra.settings.section import VenueName
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.durations import DAY
from hydra.trading.situation import PriceStep
from hydra.venues.alpaca.access import Access, local_addresses
from hydra.venues.alpaca.network import Network
from hydra.venues.alpaca.payloads import read_asset
from tests.venues.alpaca.fake_alpaca import Received, Reply, fake_alpaca

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


def test_many_symbols_are_asked_for_on_from_where_the_broker_had_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It allows so many requests a minute, which may be fewer than there are symbols."""
    monkeypatch.setattr(broker_account, "PAUSE_S_MIN", 0.01)
    symbols = ("BCH/USD", "BTC/USD", "ETH/USD", "LTC/USD", "SOL/USD")
    stopping = threading.Event()

    def broker_says(received: Received) -> Reply:
        if len(broker.received) % 3 == 0:
            return Reply(429, {"message": "too many requests."})
        if len(broker.received) > 20:
            stopping.set()
        symbol = received.path.removeprefix("/v2/assets/").replace("%2F", "/")
        return Reply(200, asset(symbol=symbol))

    with fake_alpaca(broker_says) as broker:
        access = Access(
            local_addresses(broker.url),
            Secret("PK012345"),
            Secret("a-secret"),
            Network(loopback_only=True),
        )
        facts = broker_facts(
            access,
            VenueName.PAPER,
            symbols,
            tmp_path,
            market_time=lambda: 20_000 * DAY,
            say=lambda _: None,
            stopping=stopping,
        )
        access.close()

    assert facts is not None
    assert facts.symbols == symbols
    assert broker.asked == [
        "GET /v2/assets/BCH%2FUSD",
        "GET /v2/assets/BTC%2FUSD",
        "GET /v2/assets/ETH%2FUSD",
        "GET /v2/assets/ETH%2FUSD",
        "GET /v2/assets/LTC%2FUSD",
        "GET /v2/assets/SOL%2FUSD",
        "GET /v2/assets/SOL%2FUSD",
    ]
