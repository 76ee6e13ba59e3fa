"""The vendor's own client as a peer: the benchmark holds ours against it, and nobody else uses it.

alpaca-py takes its time to load, so it is loaded when it is asked for.
"""

from collections.abc import Callable

from hydra.trading.orders import Order


def vendor_submit(base_url: str, key: str, secret: str) -> Callable[[Order], Callable[[], str]]:
    """Makes, of a market order for the day, what submits it once and gives the id of the answer.

    The environment (proxies, .netrc) is left out of it, as ours leaves it. Raises ImportError.
    """
    from alpaca.trading.client import TradingClient
    from alpaca.trading.enums import OrderSide, TimeInForce
    from alpaca.trading.models import Order as VendorOrder
    from alpaca.trading.requests import MarketOrderRequest

    client = TradingClient(key, secret, paper=True, url_override=base_url)
    client._session.trust_env = False

    def prepare(order: Order) -> Callable[[], str]:
        request = MarketOrderRequest(
            symbol=order.symbol,
            qty=float(order.quantity),
            side=OrderSide(order.side.value),
            time_in_force=TimeInForce(order.time_in_force.value),
            client_order_id=order.client_order_id,
        )

        def submit() -> str:
            answered = client.submit_order(request)
            assert isinstance(answered, VendorOrder), "raw data was not asked for"
            return str(answered.id)

        return submit

    return prepare
