"""The paths of the market data plane."""

from hydra.venues.simulated.server.rest.data import (
    corporate_actions,
    historical,
    latest,
    nothing,
    options,
)
from hydra.venues.simulated.server.rest.data.families import CRYPTO, OPTIONS, STOCKS
from hydra.venues.simulated.server.rest.routing import at_path

ROUTES = (
    at_path("/v2/stocks/bars", {"GET": historical.bars(STOCKS)}),
    at_path("/v2/stocks/quotes", {"GET": historical.quotes(STOCKS)}),
    at_path("/v2/stocks/trades", {"GET": historical.trades(STOCKS)}),
    at_path("/v2/stocks/bars/latest", {"GET": latest.bars(STOCKS)}),
    at_path("/v2/stocks/quotes/latest", {"GET": latest.quotes(STOCKS)}),
    at_path("/v2/stocks/trades/latest", {"GET": latest.trades(STOCKS)}),
    at_path("/v2/stocks/snapshots", {"GET": latest.snapshots(STOCKS, None)}),
    at_path("/v1beta3/crypto/us/bars", {"GET": historical.bars(CRYPTO)}),
    at_path("/v1beta3/crypto/us/quotes", {"GET": historical.quotes(CRYPTO)}),
    at_path("/v1beta3/crypto/us/trades", {"GET": historical.trades(CRYPTO)}),
    at_path("/v1beta3/crypto/us/latest/bars", {"GET": latest.bars(CRYPTO)}),
    at_path("/v1beta3/crypto/us/latest/quotes", {"GET": latest.quotes(CRYPTO)}),
    at_path("/v1beta3/crypto/us/latest/trades", {"GET": latest.trades(CRYPTO)}),
    at_path("/v1beta3/crypto/us/latest/orderbooks", {"GET": latest.order_books(CRYPTO)}),
    at_path("/v1beta3/crypto/us/snapshots", {"GET": latest.snapshots(CRYPTO, "snapshots")}),
    at_path("/v1beta1/options/bars", {"GET": historical.bars(OPTIONS)}),
    at_path("/v1beta1/options/trades", {"GET": historical.trades(OPTIONS)}),
    at_path("/v1beta1/options/quotes/latest", {"GET": latest.quotes(OPTIONS)}),
    at_path("/v1beta1/options/trades/latest", {"GET": latest.trades(OPTIONS)}),
    at_path("/v1beta1/options/snapshots", {"GET": options.snapshots}),
    at_path("/v1beta1/options/snapshots/{underlying}", {"GET": options.chain}),
    at_path("/v1beta1/options/meta/exchanges", {"GET": options.exchanges}),
    at_path("/v1beta1/news", {"GET": nothing.news}),
    at_path("/v1/corporate-actions", {"GET": corporate_actions.corporate_actions}),
    at_path("/v1beta1/screener/stocks/most-actives", {"GET": nothing.most_actives}),
    at_path("/v1beta1/screener/{market}/movers", {"GET": nothing.movers}),
)
