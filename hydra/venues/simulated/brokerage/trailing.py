"""What a bar does with a trailing stop: its stop moves while the market does, in the bar's path."""

from decimal import Decimal

from msgspec import structs

from hydra.trading.bars import Bar
from hydra.venues.simulated.brokerage.order_prices import trailed
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.fill_model import Execution, PriceTerms, as_written, execution_on
from hydra.venues.simulated.market.derived import path_of


def trail_along(
    order: BrokerOrder, prices: PriceTerms, bar: Bar, slippage_bps: Decimal
) -> tuple[BrokerOrder, Execution | None]:
    """The order after the bar has passed, and its execution if the bar came to its stop.

    Other orders do not care in what order a bar saw its prices. This one does, so it is led along
    the path that the venue shows of the bar, one stretch after the other.
    """
    order = order if order.high_water_mark is not None else trailed(order, as_written(bar.open))
    path = path_of(bar)
    for start, end in zip((path[0], *path), path, strict=False):
        stretch = structs.replace(
            bar, open=start, high=max(start, end), low=min(start, end), close=end
        )
        asleep = structs.replace(prices, stop=order.stop_price)
        execution = execution_on(asleep, stretch, slippage_bps)
        if execution is not None:
            return order, execution
        order = trailed(order, as_written(end))
    return order, None
