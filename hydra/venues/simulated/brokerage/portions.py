"""How much of an order is executed at a time: all of it, unless something cuts it short."""

from decimal import Decimal

from hydra.trading.exact import multiply, subtract
from hydra.trading.orders import Side
from hydra.venues.simulated.bar_fills import OnOffer
from hydra.venues.simulated.brokerage.amounts import (
    NINE_DECIMALS,
    floored,
    is_whole,
    quantity_for,
)
from hydra.venues.simulated.brokerage.books import Books
from hydra.venues.simulated.brokerage.ids import chance
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.words import AssetClass, TimeInForce


def quantity_of_notional(order: BrokerOrder, price: Decimal, books: Books) -> Decimal:
    """What an order in USD is for at this price; a sale never for more than is held."""
    assert order.notional is not None
    quantity = quantity_for(order.notional, price)
    asset = books.market.asset(order.symbol)
    if asset is not None and asset.min_trade_increment is not None:
        quantity = floored(quantity, asset.min_trade_increment)
    if order.side is Side.SELL:
        quantity = min(quantity, max(Decimal(0), books.holdings.quantity(order.symbol)))
    return quantity


def portion(order: BrokerOrder, on_offer: OnOffer | None, books: Books) -> Decimal:
    """How much of what is left of the order is executed now; what is on offer grows less by it.

    Fill or kill is never cut. Else a pattern that was set for the order says how much, or chance
    does where the terms leave it something; and nothing executes beyond what is on offer.
    """
    assert order.quantity is not None
    left = max(Decimal(0), subtract(order.quantity, order.filled_quantity))
    if order.time_in_force is TimeInForce.FOK:
        if on_offer is None:
            return left
        return on_offer.take(left) if on_offer.has(left) else Decimal(0)
    wanted = _cut_by_pattern(order, left, books)
    if wanted is None:
        wanted = _cut_by_chance(order, left, books)
    return wanted if on_offer is None else on_offer.take(wanted)


def _cut_by_pattern(order: BrokerOrder, left: Decimal, books: Books) -> Decimal | None:
    pieces = books.arming.pieces.get(order.id, ())
    if not pieces:
        return None
    assert order.quantity is not None
    books.arming.pieces[order.id] = pieces[1:]
    return min(left, floored(multiply(order.quantity, pieces[0]), _step_of(order)))


def _cut_by_chance(order: BrokerOrder, left: Decimal, books: Books) -> Decimal:
    terms, moment = books.terms, (order.id, order.filled_quantity)
    if chance(terms.seed, "cut", *moment) >= terms.partial_fill_rate:
        return left
    share = chance(terms.seed, "share", *moment)
    return floored(multiply(left, share), _step_of(order)) or left


def _step_of(order: BrokerOrder) -> Decimal:
    assert order.quantity is not None
    is_fine = order.asset_class is AssetClass.CRYPTO or not is_whole(order.quantity)
    return NINE_DECIMALS if is_fine else Decimal(1)
