"""A record and a venue that agree in everything: what differences are planted into."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec import structs

from hydra.trading.order_life import OrderState, OrderStatus
from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.trading.reconciliation import RecordView
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenuePosition, VenueSnapshot
from hydra.trading.watermark import EDGE

SINCE = 1_000
LISTED = SINCE + EDGE
EARLY, LATE = SINCE - 1, LISTED + 500
"""Executions from before the snapshot's `since`, which it leaves out, and from after it. What is of
`LISTED` is the first that it must not leave out.
"""
AT = LATE + 500

ACCOUNT = "PA0000000001"
OPENING = Decimal("10000.00")

UNSEEN = ("intended", "withheld", "attempted", "unknown", "absent")
"""Lives of orders that the venue does not have, and need not have."""
NEWS = ("landed", "landed and canceled", "landed and rejected", "revived")
"""The venue knows what the record does not, and that is no difference."""
UNFILLED = ("accepted", "canceled unfilled", "expired unfilled", "rejected", "refused")
FILLED = ("partially filled", "filled", "canceled", "expired", "replaced")
LIVES = (*UNSEEN, *NEWS, *UNFILLED, *FILLED, "filled long ago")

_RECORDED = {
    "landed": OrderStatus.UNKNOWN,
    "landed and canceled": OrderStatus.ATTEMPTED,
    "landed and rejected": OrderStatus.UNKNOWN,
    "revived": OrderStatus.ABSENT,
    "canceled unfilled": OrderStatus.CANCELED,
    "expired unfilled": OrderStatus.EXPIRED,
    "refused": OrderStatus.REJECTED,
    "filled long ago": OrderStatus.FILLED,
}
_LISTED = {
    "landed": OrderStatus.ACCEPTED,
    "landed and canceled": OrderStatus.CANCELED,
    "landed and rejected": OrderStatus.REJECTED,
    "revived": OrderStatus.ACCEPTED,
}


class Case:
    """One order of ours, on both sides. Three shares, of which some may be executed."""

    def __init__(self, number: int, life: str, share: Decimal, price: Decimal) -> None:
        self.life = life
        self.name = f"hy1-20240102-{number:016x}-e"
        self.symbol = ("AAPL", "MSFT", "BTCUSD")[number % 3]
        self.order = Order(
            client_order_id=self.name,
            symbol=self.symbol,
            side=(Side.BUY, Side.SELL)[number % 2],
            quantity=share * 3,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            limit_price=price,
        )
        self.on_record = [
            self.fill("e1", share, price, EARLY),
            self.fill("e2", share, price, LISTED),
        ]
        if life == "filled":
            self.on_record.append(self.fill("e3", share, price, LATE))
        elif life == "filled long ago":
            self.on_record = [self.fill("e1", share * 3, price, EARLY)]
        elif life not in FILLED:
            self.on_record = []
        self.at_venue = [fill for fill in self.on_record if fill.at >= SINCE]
        filled = sum((fill.quantity for fill in self.on_record), Decimal(0))
        status = _RECORDED.get(life) or OrderStatus(life.replace(" ", "_"))
        venue_name = f"venue-{number}"
        is_acknowledged = life in (*UNFILLED, *FILLED, "filled long ago") and life not in (
            "rejected",
            "refused",
        )
        self.state = OrderState(
            order=self.order,
            status=status,
            venue_order_id=venue_name if is_acknowledged else None,
            filled_quantity=filled,
        )
        self.listings: list[VenueOrder] = []
        if life not in (*UNSEEN, "filled long ago"):
            self.listings = [
                VenueOrder(
                    order=self.order,
                    venue_order_id="" if life == "refused" else venue_name,
                    status=_LISTED.get(life, status),
                    filled_quantity=filled,
                    replaced_by="hy1-20240102-ffffffffffffffff-e" if life == "replaced" else None,
                )
            ]

    def fill(self, execution_id: str, quantity: Decimal, price: Decimal, at: int) -> Fill:
        return Fill(
            execution_id=execution_id,
            client_order_id=self.name,
            symbol=self.symbol,
            side=self.order.side,
            quantity=quantity,
            price=price,
            at=at,
        )

    @property
    def listing(self) -> VenueOrder:
        (listing,) = self.listings
        return listing

    def list_as(self, **changes: object) -> None:
        """The venue lists it like this."""
        self.listings = [structs.replace(self.listing, **changes)]

    def record_as(self, **changes: object) -> None:
        """It is on record like this."""
        self.state = structs.replace(self.state, **changes)


class World:
    """Both sides. `others` are the venue's orders that are not ours, and their executions."""

    def __init__(self, lives: Sequence[str], share: Decimal, price: Decimal) -> None:
        self.cases = [Case(number, life, share, price) for number, life in enumerate(lives)]
        self.account: str | None = ACCOUNT
        self.opening: Decimal | None = OPENING
        self.others = [other("theirs-open", OrderStatus.ACCEPTED), other("theirs-over")]
        by_hand = Case(1, "filled", share, price).fill("e9", share, price, LATE)
        self.other_fills = [
            structs.replace(by_hand, client_order_id="by hand-over"),
            structs.replace(by_hand, client_order_id="by hand, and of an order long over"),
        ]
        self.excluded_orders = {"theirs-open"}
        self.ours: dict[str, Decimal] = {"NOTHING": Decimal(0)}
        self.cash = Decimal(0)
        for fill in (fill for case in self.cases for fill in case.on_record):
            quantity = fill.quantity * fill.side.sign
            self.ours[fill.symbol] = self.ours.get(fill.symbol, Decimal(0)) + quantity
            self.cash -= quantity * fill.price
        self.excluded = {"AAPL": Decimal(2), "GLD": Decimal(-1)}
        self.held = [
            VenuePosition(
                symbol=symbol,
                quantity=self.ours.get(symbol, Decimal(0)) + self.excluded.get(symbol, Decimal(0)),
            )
            for symbol in ("AAPL", "MSFT", "BTCUSD", "GLD", "EMPTY")
        ]
        self.venue = VenueAccount(account=ACCOUNT, cash=OPENING + self.cash, equity=None)

    def case(self, life: str) -> Case:
        return next(case for case in self.cases if case.life == life)

    def hold(self, symbol: str, quantity: Decimal | None) -> None:
        """The venue says that the account holds so much of it; None: it does not name it."""
        self.held = [position for position in self.held if position.symbol != symbol]
        if quantity is not None:
            self.held.append(VenuePosition(symbol=symbol, quantity=quantity))

    def holds(self, symbol: str) -> Decimal:
        return next(each.quantity for each in self.held if each.symbol == symbol)

    @property
    def record(self) -> RecordView:
        return RecordView(
            account=self.account,
            opening_cash=self.opening,
            cash=self.cash,
            orders={case.name: case.state for case in self.cases},
            fills=tuple(fill for case in self.cases for fill in case.on_record),
            positions=self.ours,
            excluded_orders=frozenset(self.excluded_orders),
            excluded_positions=self.excluded,
        )

    @property
    def snapshot(self) -> VenueSnapshot:
        return VenueSnapshot(
            at=AT,
            since=SINCE,
            account=self.venue,
            positions=tuple(self.held),
            orders=(*self.others, *(each for case in self.cases for each in case.listings)),
            fills=(*self.other_fills, *(fill for case in self.cases for fill in case.at_venue)),
        )


def other(
    venue_name: str, status: OrderStatus = OrderStatus.FILLED, name: str | None = None
) -> VenueOrder:
    """An order that is not on record."""
    return VenueOrder(
        order=Order(
            client_order_id="by hand" + venue_name.removeprefix("theirs") if name is None else name,
            symbol="AAPL",
            side=Side.SELL,
            quantity=Decimal(7),
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.GTC,
        ),
        venue_order_id=venue_name,
        status=status,
        filled_quantity=Decimal(7 if status is OrderStatus.FILLED else 0),
    )
