"""Whether what an order closes is there, whether it may go short, and wash trades."""

from decimal import Decimal

from hydra.trading.exact import subtract
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.amounts import NINE_DECIMALS, floored, plain, quantity_for
from hydra.venues.simulated.brokerage.availability import Availability, availability
from hydra.venues.simulated.brokerage.checks.check import Check
from hydra.venues.simulated.brokerage.checks.equities import is_fractional
from hydra.venues.simulated.brokerage.option_book import shares_needed
from hydra.venues.simulated.brokerage.option_rules import longs_cover
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.refusals import Refusal, forbidden, unprocessable
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import OrderClass, OrderType, Status
from hydra.venues.simulated.symbols import base_of

SHORT_SALE_EQUITY_MIN = Decimal(2_000)
"""USD of equity below which no account may borrow shares."""


def what_it_closes_is_available(order: PlaceOrder, view: OrderView) -> Refusal | None:
    """No order may pass through zero, and what other orders are to close is held for them.

    Shares that short calls may have to deliver are held too.
    """
    if not _closes(order, view):
        return None
    found = availability(view.subject.position, view.subject.working, _price(view))
    if view.subject.contract is None and view.subject.position > 0:
        for_calls = min(found.free, shares_needed(view.options, longs_cover(view)))
        found = Availability(subtract(found.free, for_calls), found.held, found.holders)
    wanted = _wanted(order, view)
    if wanted is None or wanted <= found.free:
        return None
    return not_available(view.subject.symbol, wanted, view.subject.position, found)


def coins_are_available(order: PlaceOrder, view: OrderView) -> Refusal | None:
    """Coins are never sold short; their fee was taken out of what was bought."""
    if order.side is Side.BUY:
        return None
    position = max(Decimal(0), view.subject.position)
    found = availability(position, view.subject.working, _price(view))
    wanted = _wanted(order, view)
    if found.free > 0 and (wanted is None or wanted <= found.free):
        return None
    coin = base_of(order.symbol)
    requested = order.notional or Decimal(0) if wanted is None else wanted
    return forbidden(
        f"insufficient balance for {coin} "
        f"(requested: {plain(requested)}, available: {plain(found.free)})",
        available=_in_billionths(found.free),
        balance=_in_billionths(position),
        symbol=coin,
    )


def account_may_sell_short(order: PlaceOrder, view: OrderView) -> Refusal | None:
    if not _sells_short(order, view):
        return None
    allowed = view.standing.shorting_enabled and not view.configuration.no_shorting
    lends = view.figures.multiplier > 1 and view.figures.equity >= SHORT_SALE_EQUITY_MIN
    if allowed and lends:
        return None
    return forbidden("account is not allowed to short")


def shares_can_be_borrowed(order: PlaceOrder, view: OrderView) -> Refusal | None:
    asset = view.subject.asset
    if not _sells_short(order, view):
        return None
    if asset is not None and asset.shortable and asset.easy_to_borrow:
        return None
    return forbidden(f'asset "{order.symbol}" cannot be sold short')


def short_sale_is_in_whole_shares(order: PlaceOrder, view: OrderView) -> Refusal | None:
    if not (_sells_short(order, view) and is_fractional(order)):
        return None
    return unprocessable("fractional orders cannot be sold short")


def no_purchase_is_open(order: PlaceOrder, view: OrderView) -> Refusal | None:
    if not _sells_short(order, view):
        return None
    if not any(other.side is Side.BUY for other in view.subject.working):
        return None
    return forbidden("cannot open a short sell while a long buy order is open")


def it_would_not_trade_with_our_own(order: PlaceOrder, view: OrderView) -> Refusal | None:
    for other in view.subject.working:
        reason = _reason_to_meet(order, other)
        if reason is not None:
            return forbidden(
                "potential wash trade detected. use complex orders",
                existing_order_id=other.id,
                reject_reason=reason,
            )
    return None


SHARES: tuple[Check, ...] = (
    what_it_closes_is_available,
    account_may_sell_short,
    shares_can_be_borrowed,
    short_sale_is_in_whole_shares,
    no_purchase_is_open,
    it_would_not_trade_with_our_own,
)

COINS: tuple[Check, ...] = (coins_are_available, it_would_not_trade_with_our_own)


def not_available(symbol: str, wanted: Decimal, position: Decimal, found: Availability) -> Refusal:
    """The refusal of an order that would close more than is free."""
    return forbidden(
        "insufficient qty available for order "
        f"(requested: {plain(wanted)}, available: {plain(found.free)})",
        available=plain(found.free),
        existing_qty=plain(position.copy_abs()),
        held_for_orders=plain(found.held),
        related_orders=list(found.holders),
        symbol=symbol,
    )


def _closes(order: PlaceOrder, view: OrderView) -> bool:
    assert order.side is not None, "syntax comes first"
    return order.side.sign * view.subject.position < 0


def _sells_short(order: PlaceOrder, view: OrderView) -> bool:
    return order.side is Side.SELL and view.subject.position <= 0


def _wanted(order: PlaceOrder, view: OrderView) -> Decimal | None:
    """The quantity of the order; for one by value, what that is at its limit or the price now."""
    if order.quantity is not None:
        return order.quantity
    price = order.limit_price or _price(view)
    if order.notional is None or price is None:
        return None
    return quantity_for(order.notional, price)


def _price(view: OrderView) -> Decimal | None:
    """The lower side of the market: at it, an amount of money is the most shares."""
    return None if view.subject.quote is None else view.subject.quote.bid


def _reason_to_meet(order: PlaceOrder, other: BrokerOrder) -> str | None:
    """Why the two could execute against each other; None: they never can.

    Two limits that do not cross may rest on both sides. Brackets, OCOs and trailing stops are
    complex orders, which the broker keeps apart; one that is held is not in the market.
    """
    if order.side is other.side or other.status is Status.HELD:
        return None
    if order.order_class in _KEPT_APART or other.order_class in _KEPT_APART:
        return None
    if OrderType.TRAILING_STOP in (order.order_type, other.order_type):
        return None
    if not order.order_type is other.order_type is OrderType.LIMIT:
        return "opposite side market/stop order exists"
    assert order.limit_price is not None and other.limit_price is not None
    buy, sell = order.limit_price, other.limit_price
    if order.side is Side.SELL:
        buy, sell = sell, buy
    return None if buy < sell else "opposite side limit order exists"


def _in_billionths(quantity: Decimal) -> str:
    return f"{floored(quantity, NINE_DECIMALS):f}"


_KEPT_APART = (OrderClass.BRACKET, OrderClass.OCO, OrderClass.MLEG)
