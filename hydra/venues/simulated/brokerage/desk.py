"""What the broker does with requests about orders: take, replace, cancel, close."""

from decimal import Decimal

from msgspec import structs

from hydra.trading.exact import percent_of, subtract
from hydra.trading.instruments import is_crypto
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.acts import (
    FillAfterCancel,
    FillInParts,
    HoldCancels,
    RejectCancels,
    RejectLate,
    RejectReplacements,
)
from hydra.venues.simulated.brokerage.amounts import NINE_DECIMALS, floored
from hydra.venues.simulated.brokerage.answers import Closed
from hydra.venues.simulated.brokerage.books import Books
from hydra.venues.simulated.brokerage.checks.place import as_taken, first_refusal
from hydra.venues.simulated.brokerage.checks.replace import first_replace_refusal, replacement
from hydra.venues.simulated.brokerage.floor import Floor
from hydra.venues.simulated.brokerage.groups import is_leg
from hydra.venues.simulated.brokerage.lives import OrderLives
from hydra.venues.simulated.brokerage.option_rules import inferred_intent, reason_to_reject_late
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.placing import orders_of, replacing
from hydra.venues.simulated.brokerage.refusals import (
    Refusal,
    malformed,
    not_found,
    unprocessable,
)
from hydra.venues.simulated.brokerage.requests import (
    CloseAllPositions,
    ClosePosition,
    PlaceOrder,
    ReplaceOrder,
)
from hydra.venues.simulated.brokerage.reserves import reserve_of
from hydra.venues.simulated.brokerage.situations import (
    refusal_of_selling_what_is_exercised,
    situation_of,
)
from hydra.venues.simulated.brokerage.words import (
    OrderType,
    Status,
    TimeInForce,
    UpdateEvent,
)


class Desk:
    """Every order is checked here, or refused. What was armed against it strikes here."""

    def __init__(self, books: Books, lives: OrderLives, floor: Floor) -> None:
        self._books = books
        self._lives = lives
        self._floor = floor

    def place(self, request: PlaceOrder, *, closes_position: bool = False) -> BrokerOrder | Refusal:
        """A new order, as it is when it is taken; it may be filled by the time that is read."""
        books = self._books
        situation = situation_of(request, books, closes_position=closes_position)
        refusal = first_refusal(request, situation)
        refusal = refusal or refusal_of_selling_what_is_exercised(request, books)
        if refusal is not None:
            return refusal
        request = as_taken(request, situation)
        order, others = orders_of(request, books)
        books.reserves[order.id] = reserve_of(request, situation)
        reason = reason_to_reject_late(request, situation)
        self.take(order, others, reason)
        return order

    def take(
        self, order: BrokerOrder, others: tuple[BrokerOrder, ...], reject_for: str | None = None
    ) -> None:
        """Put an order on the books, checked or not, and send it to its market."""
        books = self._books
        self._lives.take(order, others)
        armed = books.arming.strike(RejectLate, order.symbol)
        if armed is not None or reject_for is not None:
            self._lives.end(
                order.id, Status.REJECTED, reject_for or (armed.reason if armed else "")
            )
            return
        in_parts = books.arming.strike(FillInParts, order.symbol)
        if in_parts is not None:
            books.arming.pieces[order.id] = in_parts.shares
        if order.status is Status.PENDING_NEW:
            self._lives.go_live(order.id)
            self._floor.meet_arrivals()

    def replace(self, request: ReplaceOrder) -> BrokerOrder | Refusal:
        """A new order in the place of an old one; or both end as they would without it."""
        books = self._books
        old = books.orders.find(request.order_id)
        if old is None:
            return not_found(f"order not found for {request.order_id}")
        placed = replacement(request, old)
        situation = situation_of(placed, books, replaced=old)
        refusal = first_replace_refusal(request, situation)
        if refusal is not None:
            return refusal
        placed = as_taken(placed, situation)
        new = replacing(old, placed, books)
        books.orders.put(new)
        if old.id in books.reserves:
            left = structs.replace(placed, quantity=new.quantity)
            books.reserves[new.id] = reserve_of(left, situation)
        self._lives.ask_to_replace(old.id)
        armed = books.arming.strike(RejectReplacements, old.symbol)
        if armed is not None:
            self._lives.go_on(old.id, old.status, UpdateEvent.REPLACE_REJECTED, armed.reason)
            self._lives.drop_replacement(new.id, armed.reason)
        else:
            self._lives.hand_over(old.id, new.id)
            self._floor.meet_arrivals()
        return new

    def cancel(self, order_id: str) -> Refusal | None:
        """Take an order out of the market, if nothing is in the way. None: the wish was taken."""
        order = self._books.orders.find(order_id)
        if order is None:
            return not_found(f"order not found for {order_id}")
        if order.status is Status.CANCELED:
            return None
        if order.status.is_terminal:
            return unprocessable(f'order is already in "{order.status.value}" state')
        if order.status is Status.PENDING_CANCEL:
            return unprocessable("order pending cancel")
        if is_leg(order):
            return unprocessable("a leg of an mleg order cannot be canceled by itself")
        self._lives.ask_to_cancel(order_id)
        self._finish_cancel(order)
        return None

    def cancel_all(self) -> tuple[Closed, ...]:
        """Ask for the end of every open order, the oldest first; legs are part of their whole."""
        rows: list[Closed] = []
        for order in self._books.orders.open_orders():
            if is_leg(order):
                continue
            asked = structs.replace(order, status=Status.PENDING_CANCEL)
            refusal = self.cancel(order.id)
            if refusal is None:
                rows.append(Closed(order.id, 200, asked))
            else:
                rows.append(Closed(order.id, 500, refusal))
        return tuple(rows)

    def close(self, request: ClosePosition) -> BrokerOrder | Refusal:
        """A market order that closes a position, or a part of it."""
        books = self._books
        named = books.asset_or_contract(request.asset)
        symbol = request.asset if named is None else named.symbol
        held = books.holdings.quantity(symbol)
        if not held:
            return not_found(f"position not found: {request.asset}")
        if request.quantity is not None and request.percentage is not None:
            return malformed("only one of qty or percentage is accepted")
        quantity = abs(held) if request.quantity is None else request.quantity
        if request.percentage is not None:
            if not (request.percentage.is_finite() and 0 < request.percentage <= 100):
                return malformed("percentage must be > 0 and <= 100")
            quantity = floored(percent_of(quantity, request.percentage), self._step_of(symbol))
        side = Side.SELL if held > 0 else Side.BUY
        return self.place(
            PlaceOrder(
                symbol=symbol,
                quantity=quantity,
                side=side,
                order_type=OrderType.MARKET,
                time_in_force=TimeInForce.GTC if is_crypto(symbol) else TimeInForce.DAY,
                position_intent=inferred_intent(side, held),
            ),
            closes_position=True,
        )

    def close_all(self, request: CloseAllPositions) -> tuple[Closed, ...]:
        """One row for each position: the order that closes it, or why there is none."""
        if request.cancel_orders:
            self.cancel_all()
        rows: list[Closed] = []
        for holding in tuple(self._books.holdings):
            body = self.close(ClosePosition(asset=holding.symbol))
            status = body.status if isinstance(body, Refusal) else 200
            rows.append(Closed(holding.symbol, status, body))
        return tuple(rows)

    def release_cancels(self) -> None:
        """The cancels that were held are done."""
        held = self._books.arming.held_cancels
        while held:
            order_id = next(iter(held))
            del held[order_id]
            if not self._books.orders[order_id].status.is_terminal:
                self._lives.end(order_id, Status.CANCELED)

    def _finish_cancel(self, order: BrokerOrder) -> None:
        """The order leaves the market, unless something was armed that is in the way."""
        arming, symbol = self._books.arming, order.symbol
        rejects = arming.strike(RejectCancels, symbol)
        if rejects is not None:
            event = UpdateEvent.CANCEL_REJECTED
            self._lives.go_on(order.id, order.status, event, rejects.reason)
            return
        late = arming.strike(FillAfterCancel, symbol)
        if late is not None:
            self._fill_first(order, late)
        elif arming.strike(HoldCancels, symbol) is not None:
            arming.held_cancels[order.id] = None
            return
        if not self._books.orders[order.id].status.is_terminal:
            self._lives.end(order.id, Status.CANCELED)

    def _fill_first(self, order: BrokerOrder, late: FillAfterCancel) -> None:
        """The market was faster than the cancel."""
        quantity, price = order.quantity, self._books.last_price(order.symbol)
        if order.limit_price is not None:
            price = order.limit_price
        is_working = self._books.orders.working(order.id) is not None
        if not is_working or quantity is None or price is None or order.side is None:
            return
        left = subtract(quantity, order.filled_quantity)
        self._lives.execute(order.id, min(left, late.quantity or left), price)
        self._floor.meet_arrivals()
        if self._books.orders[order.id].status is Status.FILLED:
            event, reason = UpdateEvent.CANCEL_REJECTED, "TOO_LATE_TO_CANCEL"
            self._lives.go_on(order.id, order.status, event, reason)

    def _step_of(self, symbol: str) -> Decimal:
        asset = self._books.market.asset(symbol)
        if asset is None or not asset.fractionable:
            return Decimal(1)
        return asset.min_trade_increment or NINE_DECIMALS
