"""The log of the local venue's process, read for the judge.

A request is what arrived over HTTP, not only what the brokerage was asked: one that was refused at
the door, or never answered, was sent all the same. Orders are put into an engine's words here once
more, and not by the adapter's own translation, which is on trial.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import structs

from hydra.testkit.judge.looked_at import LookedAt
from hydra.testkit.judge.venue_evidence import Asked, Markets, Played, Verb
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order, OrderType, TimeInForce
from hydra.trading.venue_view import VenueAccount, VenueOrder, VenuePosition, VenueSnapshot
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.queries import OrderQuery, WhichOrders
from hydra.venues.simulated.brokerage.requests import PlaceOrder, ReplaceOrder
from hydra.venues.simulated.brokerage.words import OrderClass, Status
from hydra.venues.simulated.market.tape import open_tape
from hydra.venues.simulated.server.log_lines import (
    FORMAT,
    ClockMoved,
    RequestAnswered,
    RequestArrived,
    RequestReceived,
    VenueBegan,
    VenueLine,
    VenueOpened,
)
from hydra.venues.simulated.server.rebuild import ClockTerms, Source, VenueTerms, open_venue
from hydra.venues.simulated.server.rest.bodies import read_fields
from hydra.venues.simulated.server.rest.errors import Refused
from hydra.venues.simulated.server.rest.trading.order_bodies import place_order, replace_order

ORDERS, POSITIONS = "/v2/orders", "/v2/positions"
NAMELESS = "an order without a name"


class ServedVenue:
    """See `VenueEvidence`."""

    def __init__(self, path: Path, lines: Sequence[VenueLine]) -> None:
        """`lines` are those of the log at `path`; the first says which venue it is."""
        self._path = path
        self._lines = tuple(lines)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """See `VenueEvidence.asked`."""
        return tuple(_Reading(self._lines).asked())

    def played(self, markets: Markets, lines: int | None = None) -> Played:
        """See `VenueEvidence.played`. With real option quotes it is a market that is not there."""
        found = self._lines[:lines]
        began = found[0]
        assert isinstance(began, VenueBegan), "it comes first"
        data = markets.of(began.data_digest, str(self._path.parent), began.data_origin)
        venue = open_venue(
            LookedAt(self._path, found, FORMAT),
            open_tape(data, began.market, markets.cache),
            Source(origin=began.data_origin, digest=began.data_digest),
            VenueTerms(brokerage=began.terms, market=began.market),
            ClockTerms(speed=0.0),
            machine_time=lambda: 0,
            wall_clock=lambda: 0,
        )
        return _played(venue.at_present(), venue.now())


class _Reading:
    """One way through the lines."""

    def __init__(self, lines: Sequence[VenueLine]) -> None:
        self._lines = lines
        self._orders: dict[str, Order] = {}
        self._statuses = {
            line.number: line.status for line in lines if isinstance(line, RequestAnswered)
        }
        self._received = _places_of_orders(lines)

    def asked(self) -> Iterator[Asked]:
        """Everything that was asked, in the order in which it arrived."""
        speed: float | None = None
        for place, line in enumerate(self._lines):
            match line:
                case VenueOpened() | ClockMoved():
                    speed = line.speed or None
                case RequestArrived():
                    asked = self._asked(place, line, speed)
                    if asked is not None:
                        yield asked
                case RequestReceived(request=PlaceOrder() | ReplaceOrder() as request):
                    if place in self._received[request.client_order_id or NAMELESS]:
                        yield _unannounced(place, line, request, speed)
                case _:
                    pass

    def _asked(self, place: int, line: RequestArrived, speed: float | None) -> Asked | None:
        """None: it did not come whole, so that nothing can have come of it."""
        verb = verb_of(line)
        name, order = self._content(verb, line)
        if verb in (Verb.PLACE, Verb.REPLACE):
            if not line.is_whole:
                return None
            received = self._received[name]
            if received and received[0] > place:
                place = received.popleft()
            if order is not None:
                self._orders[name] = order
        return Asked(
            place=place,
            at=line.at,
            wall_ns=line.wall_ns,
            verb=verb,
            name=name,
            order=order,
            speed=speed,
            is_refused=400 <= self._statuses.get(line.number, 0) < 500,
        )

    def _content(self, verb: Verb, line: RequestArrived) -> tuple[str, Order | None]:
        """The name and, where there is one in our words, the order."""
        as_asked = f"{line.method} {line.target}"
        if verb is Verb.CANCEL:
            return line.names or as_asked, None
        if verb not in (Verb.PLACE, Verb.REPLACE):
            return as_asked, None
        try:
            fields = read_fields(line.body.encode())
            if verb is Verb.PLACE:
                wanted = place_order(fields)
                return wanted.client_order_id or NAMELESS, order_of(wanted)
            changes = replace_order("", fields)
        except Refused:
            return NAMELESS, None
        name, old = changes.client_order_id or NAMELESS, self._orders.get(line.names)
        return name, None if old is None else _replaced(old, name, changes)


def verb_of(line: RequestArrived) -> Verb:
    """By method and path alone."""
    path = line.target.partition("?")[0]
    match line.method:
        case "POST" if path == ORDERS:
            return Verb.PLACE
        case "PATCH" if path.startswith(f"{ORDERS}/"):
            return Verb.REPLACE
        case "DELETE" if path == ORDERS:
            return Verb.CANCEL_ALL
        case "DELETE" if path.startswith(f"{ORDERS}/"):
            return Verb.CANCEL
        case "POST" | "DELETE" if path.startswith(POSITIONS):
            return Verb.CLOSE
        case _:
            return Verb.OTHER


def order_of(wanted: PlaceOrder | BrokerOrder, replaces: str | None = None) -> Order | None:
    """The order in an engine's words; None if it has none for it."""
    if wanted.side is None or wanted.quantity is None or wanted.order_type is None:
        return None
    if wanted.order_class is not OrderClass.SIMPLE or wanted.extended_hours:
        return None
    try:
        order_type = OrderType(wanted.order_type.value)
        time_in_force = TimeInForce(wanted.time_in_force.value if wanted.time_in_force else "")
    except ValueError:
        return None
    return Order(
        client_order_id=wanted.client_order_id or "",
        symbol=wanted.symbol,
        side=wanted.side,
        quantity=wanted.quantity,
        order_type=order_type,
        time_in_force=time_in_force,
        limit_price=wanted.limit_price,
        stop_price=wanted.stop_price,
        replaces=replaces,
    )


def _unannounced(
    place: int, line: RequestReceived, request: PlaceOrder | ReplaceOrder, speed: float | None
) -> Asked:
    """One of whose arrival nothing is known: it is not left out for that."""
    verb, order = Verb.REPLACE, None
    if isinstance(request, PlaceOrder):
        verb, order = Verb.PLACE, order_of(request)
    return Asked(
        place=place,
        at=line.at,
        wall_ns=line.wall_ns,
        verb=verb,
        name=request.client_order_id or NAMELESS,
        order=order,
        speed=speed,
    )


def _replaced(old: Order, name: str, changes: ReplaceOrder) -> Order | None:
    if changes.trail is not None:
        return None
    time_in_force = old.time_in_force
    if changes.time_in_force is not None:
        time_in_force = TimeInForce(changes.time_in_force.value)
    return structs.replace(
        old,
        client_order_id=name,
        quantity=changes.quantity or old.quantity,
        limit_price=changes.limit_price or old.limit_price,
        stop_price=changes.stop_price or old.stop_price,
        time_in_force=time_in_force,
        replaces=old.client_order_id,
    )


def _places_of_orders(lines: Sequence[VenueLine]) -> defaultdict[str, deque[int]]:
    """Where the brokerage was asked for an order of a name."""
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for place, line in enumerate(lines):
        if isinstance(line, RequestReceived):
            request = line.request
            if isinstance(request, PlaceOrder | ReplaceOrder):
                places[request.client_order_id or NAMELESS].append(place)
    return places


def _played(broker: Brokerage, at: int) -> Played:
    query = OrderQuery(which=WhichOrders.ALL, limit=broker.orders_taken, ascending=True)
    orders = {order.id: order for order in broker.orders(query)}
    sheet = broker.account()
    trades = broker.trades
    snapshot = VenueSnapshot(
        at=at,
        since=0,
        account=VenueAccount(account=sheet.account_number, cash=sheet.cash, equity=sheet.equity),
        positions=tuple(
            VenuePosition(symbol=each.symbol, quantity=each.quantity) for each in broker.positions()
        ),
        orders=tuple(_venue_orders(orders)),
        fills=tuple(
            Fill(
                execution_id=trade.execution_id,
                client_order_id=orders[trade.order_id].client_order_id,
                symbol=trade.symbol,
                side=trade.side,
                quantity=trade.quantity,
                price=trade.price,
                at=trade.at,
            )
            for trade in trades
        ),
    )
    return Played(snapshot, tuple(float(trade.at) for trade in trades))


def _venue_orders(orders: Mapping[str, BrokerOrder]) -> Iterator[VenueOrder]:
    """Those that an engine has words for; what the others traded is in positions and cash."""
    for order in orders.values():
        replaces = None if order.replaces is None else orders[order.replaces].client_order_id
        ours = order_of(order, replaces)
        if ours is None:
            continue
        by = None if order.replaced_by is None else orders[order.replaced_by].client_order_id
        yield VenueOrder(
            order=ours,
            venue_order_id=order.id,
            status=_status_of(order),
            filled_quantity=order.filled_quantity,
            reason=order.reason,
            replaced_by=by,
            at=order.updated_at,
        )


def _status_of(order: BrokerOrder) -> OrderStatus:
    over = _OVER.get(order.status)
    if over is not None:
        return over
    return OrderStatus.PARTIALLY_FILLED if order.filled_quantity else OrderStatus.ACCEPTED


_OVER = {
    Status.FILLED: OrderStatus.FILLED,
    Status.CANCELED: OrderStatus.CANCELED,
    Status.EXPIRED: OrderStatus.EXPIRED,
    Status.REJECTED: OrderStatus.REJECTED,
    Status.REPLACED: OrderStatus.REPLACED,
}
