"""Orders as the broker makes them out of a request: the order itself, its children, its legs."""

from decimal import Decimal

from msgspec import structs

from hydra.trading.exact import multiply, subtract
from hydra.venues.simulated.brokerage.books import Books
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.brokerage.option_rules import inferred_intent
from hydra.venues.simulated.brokerage.order_hours import expires_at, is_on
from hydra.venues.simulated.brokerage.order_prices import trailed
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.requests import PlaceOrder, StopLoss
from hydra.venues.simulated.brokerage.words import (
    AssetClass,
    OrderClass,
    OrderType,
    PositionIntent,
    Status,
    TimeInForce,
)


def orders_of(request: PlaceOrder, books: Books) -> tuple[BrokerOrder, tuple[BrokerOrder, ...]]:
    """The order that the request asks for and those that belong to it, as they begin.

    The request has passed the checks.
    """
    if request.order_class is OrderClass.MLEG:
        return _multi_leg(request, books)
    order = _alone(request, books)
    others = tuple(_exits_of(request, order, books))
    return structs.replace(order, legs=tuple(other.id for other in others)), others


def replacing(old: BrokerOrder, request: PlaceOrder, books: Books) -> BrokerOrder:
    """The order that takes the place of `old`; `request.quantity` is that of both together."""
    assert request.quantity is not None and request.time_in_force is not None
    order = structs.replace(
        old,
        id=books.ids.fresh(),
        client_order_id=request.client_order_id or books.ids.fresh(),
        quantity=subtract(request.quantity, old.filled_quantity),
        time_in_force=request.time_in_force,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        trail_price=request.trail_price,
        trail_percent=request.trail_percent,
        status=Status.HELD if old.status is Status.HELD else Status.PENDING_NEW,
        filled_quantity=Decimal(0),
        filled_value=Decimal(0),
        filled_at=None,
        created_at=books.now,
        submitted_at=books.now,
        updated_at=books.now,
        expires_at=_expires_at(request.time_in_force, old, books),
        replaces=old.id,
        reason="",
    )
    return _with_mark(order, books)


def _alone(request: PlaceOrder, books: Books) -> BrokerOrder:
    named = books.asset_or_contract(request.symbol)
    assert named is not None and request.side is not None and request.order_type is not None
    assert request.time_in_force is not None
    asset_class = AssetClass.OPTION if isinstance(named, OptionContract) else named.asset_class
    limit_price = request.limit_price
    if request.order_class is OrderClass.OCO and request.take_profit is not None:
        limit_price = request.take_profit.limit_price
    position = books.holdings.quantity(named.symbol)
    order = BrokerOrder(
        id=books.ids.fresh(),
        client_order_id=request.client_order_id or books.ids.fresh(),
        symbol=named.symbol,
        asset_id=named.id,
        asset_class=asset_class,
        side=request.side,
        position_intent=request.position_intent or inferred_intent(request.side, position),
        quantity=request.quantity,
        notional=request.notional,
        order_type=request.order_type,
        time_in_force=request.time_in_force,
        limit_price=limit_price,
        stop_price=request.stop_price,
        trail_price=request.trail_price,
        trail_percent=request.trail_percent,
        extended_hours=request.extended_hours,
        order_class=request.order_class,
        status=Status.PENDING_NEW,
        created_at=books.now,
        submitted_at=books.now,
        updated_at=books.now,
    )
    order = structs.replace(order, expires_at=_expires_at(request.time_in_force, order, books))
    asset = None if isinstance(named, OptionContract) else named
    if is_on(order, asset, books.sessions, books.now):
        return _with_mark(order, books)
    return structs.replace(order, status=Status.ACCEPTED)


def _exits_of(request: PlaceOrder, entry: BrokerOrder, books: Books) -> list[BrokerOrder]:
    """The exits that belong to the order, the target first; an OCO is its own target."""
    exits: list[BrokerOrder] = []
    if request.take_profit is not None and request.order_class is not OrderClass.OCO:
        exits.append(
            structs.replace(
                _exit_beside(entry, books),
                order_type=OrderType.LIMIT,
                limit_price=request.take_profit.limit_price,
                stop_price=None,
            )
        )
    if request.stop_loss is not None:
        exits.append(_stop_beside(entry, request.stop_loss, books))
    return exits


def _stop_beside(entry: BrokerOrder, stop: StopLoss, books: Books) -> BrokerOrder:
    return structs.replace(
        _exit_beside(entry, books),
        order_type=OrderType.STOP if stop.limit_price is None else OrderType.STOP_LIMIT,
        stop_price=stop.stop_price,
        limit_price=stop.limit_price,
    )


def _exit_beside(entry: BrokerOrder, books: Books) -> BrokerOrder:
    """An order that waits for `entry`, or beside it, and trades the other way than an entry."""
    assert entry.side is not None and entry.position_intent is not None
    is_exit_already = entry.order_class is OrderClass.OCO
    return structs.replace(
        entry,
        id=books.ids.fresh(),
        client_order_id=books.ids.fresh(),
        side=entry.side if is_exit_already else entry.side.opposite,
        position_intent=(
            entry.position_intent if is_exit_already else _EXIT_OF[entry.position_intent]
        ),
        status=Status.HELD,
        parent=entry.id,
        legs=(),
    )


_EXIT_OF = {
    PositionIntent.BUY_TO_OPEN: PositionIntent.SELL_TO_CLOSE,
    PositionIntent.SELL_TO_OPEN: PositionIntent.BUY_TO_CLOSE,
    PositionIntent.BUY_TO_CLOSE: PositionIntent.SELL_TO_OPEN,
    PositionIntent.SELL_TO_CLOSE: PositionIntent.BUY_TO_OPEN,
}


def _multi_leg(request: PlaceOrder, books: Books) -> tuple[BrokerOrder, tuple[BrokerOrder, ...]]:
    """The whole has no symbol and no side; each leg has a share in its quantity."""
    assert request.quantity is not None and request.order_type is not None
    assert request.time_in_force is not None
    whole = BrokerOrder(
        id=books.ids.fresh(),
        client_order_id=request.client_order_id or books.ids.fresh(),
        symbol="",
        asset_id="",
        asset_class=None,
        side=None,
        position_intent=None,
        quantity=request.quantity,
        order_type=request.order_type,
        time_in_force=request.time_in_force,
        limit_price=request.limit_price,
        order_class=OrderClass.MLEG,
        status=Status.PENDING_NEW,
        created_at=books.now,
        submitted_at=books.now,
        updated_at=books.now,
    )
    whole = structs.replace(whole, expires_at=_expires_at(request.time_in_force, whole, books))
    if not is_on(whole, None, books.sessions, books.now):
        whole = structs.replace(whole, status=Status.ACCEPTED)
    legs: list[BrokerOrder] = []
    for leg in request.legs:
        contract = books.market.contract(leg.symbol)
        assert contract is not None
        position = books.holdings.quantity(contract.symbol)
        legs.append(
            structs.replace(
                whole,
                id=books.ids.fresh(),
                client_order_id=books.ids.fresh(),
                symbol=contract.symbol,
                asset_id=contract.id,
                asset_class=AssetClass.OPTION,
                side=leg.side,
                position_intent=leg.position_intent or inferred_intent(leg.side, position),
                quantity=multiply(request.quantity, leg.ratio_quantity),
                ratio_quantity=leg.ratio_quantity,
                limit_price=None,
                parent=whole.id,
            )
        )
    return structs.replace(whole, legs=tuple(leg.id for leg in legs)), tuple(legs)


def _with_mark(order: BrokerOrder, books: Books) -> BrokerOrder:
    """A trailing stop begins at the price that the market shows."""
    price = books.last_price(order.symbol)
    if order.order_type is not OrderType.TRAILING_STOP or price is None:
        return order
    return trailed(order, price)


def _expires_at(time_in_force: TimeInForce, order: BrokerOrder, books: Books) -> int | None:
    return expires_at(
        time_in_force,
        order.asset_class or AssetClass.OPTION,
        extended_hours=order.extended_hours,
        sessions=books.sessions,
        at=books.now,
    )
