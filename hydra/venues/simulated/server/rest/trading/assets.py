"""What can be traded."""

from enum import Enum

from starlette.requests import Request
from starlette.responses import Response

from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.refusals import not_found
from hydra.venues.simulated.brokerage.words import AssetClass
from hydra.venues.simulated.server.rest.amount_text import amount_text_or_none
from hydra.venues.simulated.server.rest.answers import json_answer
from hydra.venues.simulated.server.rest.errors import Refused
from hydra.venues.simulated.server.rest.routing import venue_of, word_of
from hydra.venues.simulated.server.rest.trading.queries import parameters_of


class AssetStatus(Enum):
    """Whether the broker still lists an asset."""

    ACTIVE = "active"
    INACTIVE = "inactive"


async def list_all(request: Request) -> Response:
    """All of a class, equities unless asked otherwise; there are no pages."""
    given = parameters_of(request)
    status = given.choice("status", AssetStatus)
    asset_class = given.choice("asset_class", AssetClass) or AssetClass.EQUITY
    exchange = given.text("exchange")
    attributes = frozenset(given.words("attributes"))
    return json_answer(
        [
            asset_body(asset)
            for asset in venue_of(request).tape.assets
            if asset.asset_class is asset_class
            and status in {None, status_of(asset)}
            and exchange in {None, asset.exchange}
            and attributes.issubset(asset.attributes)
        ]
    )


async def get(request: Request) -> Response:
    """One, by its id or symbol: BTC/USD, BTC%2FUSD and BTCUSD are the same."""
    name = word_of(request, "name")
    asset = venue_of(request).tape.asset(name)
    if asset is None:
        raise Refused(not_found(f"asset not found for {name}"))
    return json_answer(asset_body(asset))


def status_of(asset: Asset) -> AssetStatus:
    """Whether it is still listed."""
    return AssetStatus.ACTIVE if asset.is_active else AssetStatus.INACTIVE


def asset_body(asset: Asset) -> dict[str, object]:
    """All fields of an asset; what it costs to borrow is told of equities, increments of coins."""
    is_crypto = asset.asset_class is AssetClass.CRYPTO
    body: dict[str, object] = {
        "id": asset.id,
        "class": asset.asset_class.value,
        "exchange": asset.exchange,
        "symbol": asset.symbol,
        "name": asset.name,
        "status": status_of(asset).value,
        "tradable": asset.tradable,
        "marginable": asset.marginable,
        "shortable": asset.shortable,
        "easy_to_borrow": asset.easy_to_borrow,
        "fractionable": asset.fractionable,
        "maintenance_margin_requirement": asset.margin_pct,
        "attributes": list(asset.attributes),
    }
    if is_crypto:
        body["min_order_size"] = amount_text_or_none(asset.min_order_size)
        body["min_trade_increment"] = amount_text_or_none(asset.min_trade_increment)
        body["price_increment"] = amount_text_or_none(asset.price_increment)
    else:
        body["borrow_status"] = "easy_to_borrow" if asset.easy_to_borrow else "hard_to_borrow"
        body["margin_requirement_long"] = str(asset.margin_pct)
        body["margin_requirement_short"] = str(asset.margin_pct)
    return body
