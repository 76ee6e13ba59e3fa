"""The equities and coins of a market."""

from decimal import Decimal
from uuid import UUID

import pytest

from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.words import AssetClass
from tests.venues.market.markets import MINUTE, MONDAY_OPEN, bar, minutes, tape

SHOWN = tape(
    [
        *minutes("AAPL", 10.0),
        *minutes("BRK.B", 500.0),
        bar("BTC/USD", MONDAY_OPEN, 85_155.0),
        bar("DOGE/USD", MONDAY_OPEN, 0.12),
        bar("DOGE/USD", MONDAY_OPEN + MINUTE, 1.12),
        bar("PEPE/USD", MONDAY_OPEN, 0.0002),
    ]
)


def asset(symbol: str) -> Asset:
    found = SHOWN.asset(symbol)
    assert found is not None
    return found


def test_a_share_is_an_ordinary_one_with_options() -> None:
    aapl = asset("AAPL")

    assert aapl == Asset(
        id=aapl.id,
        asset_class=AssetClass.EQUITY,
        exchange="NASDAQ",
        symbol="AAPL",
        name="AAPL Common Stock",
        attributes=("fractional_eh_enabled", "has_options"),
    )


def test_a_coin_has_increments_and_is_neither_lent_nor_borrowed() -> None:
    btc = asset("BTC/USD")

    assert btc == Asset(
        id=btc.id,
        asset_class=AssetClass.CRYPTO,
        exchange="CRYPTO",
        symbol="BTC/USD",
        name="BTC / US Dollar",
        marginable=False,
        shortable=False,
        easy_to_borrow=False,
        margin_pct=100,
        min_order_size=Decimal("0.000011743"),
        min_trade_increment=Decimal("0.000000001"),
        price_increment=Decimal("0.01"),
    )


@pytest.mark.parametrize(("symbol", "increment"), [("DOGE/USD", "0.01"), ("PEPE/USD", "1E-8")])
def test_a_coins_price_increment_is_no_finer_than_what_the_venue_executes_at(
    symbol: str, increment: str
) -> None:
    assert asset(symbol).price_increment == Decimal(increment)


def test_an_asset_is_found_by_symbol_with_or_without_slash_and_by_its_id() -> None:
    btc = asset("BTC/USD")

    assert [asset(name) for name in ("BTCUSD", btc.id)] == [btc, btc]
    assert SHOWN.asset("btc/usd") is None


def test_ids_are_uuids_of_the_symbol_alone_and_the_list_is_in_the_order_of_the_alphabet() -> None:
    others = tape([bar("AAPL", MONDAY_OPEN, 99.0)])

    assert [each.symbol for each in SHOWN.assets] == [
        "AAPL",
        "BRK.B",
        "BTC/USD",
        "DOGE/USD",
        "PEPE/USD",
    ]
    assert len({UUID(each.id) for each in SHOWN.assets}) == len(SHOWN.assets) == 5
    assert [each.id for each in others.assets] == [asset("AAPL").id]
    assert UUID(asset("AAPL").id).version == 5
