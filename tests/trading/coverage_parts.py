"""An account, its orders and its guards for the tests of exit coverage, each one fine case."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from msgspec import structs

from hydra.trading.coverage import Attribution
from hydra.trading.durations import MINUTE, SECOND
from hydra.trading.local_time import new_york_instant
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import DecisionKey, Order, OrderType, Role, Side, TimeInForce
from hydra.trading.protection import Guard, ProtectionTerms
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenuePosition, VenueSnapshot

D = Decimal


def instant(text: str) -> int:
    """Of "2024-07-02 15:30" in New York."""
    moment = datetime.fromisoformat(text)
    return new_york_instant(moment.date(), moment.time())


def session(day: date, close: time = time(16)) -> ExchangeSession:
    """The regular session of a day."""
    opened, closed = new_york_instant(day, time(9, 30)), new_york_instant(day, close)
    return ExchangeSession(day.isoformat(), opened, closed, close != time(16))


HALF_DAY, HOLIDAY = date(2024, 7, 3), date(2024, 7, 4)
_DAYS = [date(2024, 7, 1) + timedelta(days) for days in range(26)]
SESSIONS = SessionTable(
    tuple(
        session(day, time(13) if day == HALF_DAY else time(16))
        for day in _DAYS
        if day.weekday() < 5 and day != HOLIDAY
    )
)
"""1 to 26 July 2024, with a half day before the holiday."""

NOW = instant("2024-07-02 11:00")

TERMS = ProtectionTerms(
    sessions=SESSIONS,
    snapshot_age_ns_max=60 * SECOND,
    guard_age_ns_max=10 * SECOND,
    price_age_ns_max=15 * SECOND,
    expiring_ns=15 * MINUTE,
)


def order(
    side: Side,
    quantity: str | Decimal,
    name: str = "stop-1",
    order_type: OrderType = OrderType.STOP,
    filled: str | Decimal = "0",
    **changes: Any,
) -> VenueOrder:
    """A stop order for the day in AAPL that lives since 10:00. `changes` are of either struct."""
    content = Order(
        client_order_id=name,
        symbol="AAPL",
        side=side,
        quantity=D(quantity),
        order_type=order_type,
        time_in_force=TimeInForce.DAY,
        stop_price=D(90) if order_type is OrderType.STOP else None,
        limit_price=D(110) if order_type is OrderType.LIMIT else None,
    )
    of_content = {key: changes.pop(key) for key in list(changes) if hasattr(content, key)}
    listed = VenueOrder(
        order=structs.replace(content, **of_content),
        venue_order_id=f"venue-{name}",
        status=OrderStatus.PARTIALLY_FILLED if D(filled) else OrderStatus.ACCEPTED,
        filled_quantity=D(filled),
        at=instant("2024-07-02 10:00"),
    )
    return structs.replace(listed, **changes)


def guard(of: str | Decimal, **changes: Any) -> Guard:
    """A guard of bot "one" on AAPL that has just looked at a price of just now."""
    made = Guard(
        name="exits",
        bot="one",
        symbol="AAPL",
        quantity=D(of),
        since=instant("2024-07-02 10:00"),
        until=instant("2024-07-02 16:00"),
        looked_at=NOW,
        price_at=NOW,
    )
    return structs.replace(made, **changes)


def account(
    positions: dict[str, str] | dict[str, Decimal], *orders: VenueOrder, at: int = NOW
) -> VenueSnapshot:
    """What the venue says."""
    return VenueSnapshot(
        at=at,
        since=0,
        account=VenueAccount(account="A", cash=D(0), equity=None),
        positions=tuple(
            VenuePosition(symbol=symbol, quantity=D(quantity))
            for symbol, quantity in positions.items()
        ),
        orders=orders,
        fills=(),
    )


def of_bots(positions: dict[str, str], exits: dict[str, str], **changes: Any) -> Attribution:
    """Positions in AAPL by bot, and whose exits the orders of these names are."""
    made = Attribution(
        positions={(bot, "AAPL"): D(quantity) for bot, quantity in positions.items()},
        decisions={name: decision(bot, Role.EXIT) for name, bot in exits.items()},
    )
    return structs.replace(made, **changes)


def decision(bot: str, role: Role) -> DecisionKey:
    """Whose an order is, and what for."""
    return DecisionKey(bot, "AAPL", "2024-07-02", 1, role)
