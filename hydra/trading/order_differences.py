"""How the orders and executions of a venue differ from those on record."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from hydra.trading import exact
from hydra.trading.amounts import excess
from hydra.trading.differences import Difference, DifferenceKind
from hydra.trading.echo import echo_mismatch, words
from hydra.trading.order_life import OrderState, OrderStatus
from hydra.trading.orders import OUR_PREFIX, Fill
from hydra.trading.venue_view import VenueOrder, VenueSnapshot
from hydra.trading.venue_word import contradiction, in_time, is_over
from hydra.trading.watermark import must_be_listed


def order_differences(
    orders: Mapping[str, OrderState],
    fills: Collection[Fill],
    excluded: frozenset[str],
    snapshot: VenueSnapshot,
) -> list[Difference]:
    """All that is different about orders and executions; see `reconciliation.RecordView`."""
    ours, others = _sorted_out(orders, snapshot.orders)
    times = Counter(each.venue_order_id for each in snapshot.orders if each.venue_order_id)
    counted, executions = _by_order(fills), _by_order(snapshot.fills)
    differences = [
        *_differences_of_others(others, times),
        *_executions_of_nothing(orders, snapshot),
        *_fills_not_at_venue(fills, snapshot),
    ]
    for name, state in orders.items():
        match ours[name]:
            case []:
                differences += _differences_of_unlisted(state, executions[name])
            case [listing] if times[listing.venue_order_id] <= 1:
                differences += _differences_of_listed(
                    state, listing, counted[name], executions[name], snapshot.since
                )
            case listings:
                differences.append(_listed_again(name, listings))
    live = {name for name in orders if not _is_over_at_venue(ours[name])}
    left_out = excluded - live - {""}
    return [each for each in differences if each.subject not in left_out]


def over_and_left_alone(
    orders: Mapping[str, OrderState], excluded: frozenset[str], snapshot: VenueSnapshot
) -> tuple[str, ...]:
    """Those that are open on record, and over at the venue in a way that cannot be taken up, where
    an operator left that alone by name: nothing more is to be expected of them.
    """
    asked = [name for name, state in orders.items() if name in excluded and state.status.is_open]
    if not asked:
        return ()
    ours, _ = _sorted_out(orders, snapshot.orders)
    return tuple(name for name in asked if _is_over_at_venue(ours[name]))


def _is_over_at_venue(listings: Sequence[VenueOrder]) -> bool:
    """Not so one of ours that is open, or gone: it may trade, or have traded."""
    return bool(listings) and all(map(is_over, listings))


def _sorted_out(
    orders: Mapping[str, OrderState], listings: Iterable[VenueOrder]
) -> tuple[Mapping[str, list[VenueOrder]], list[VenueOrder]]:
    """The listings of each order on record, by our name of it or by the venue's; and all others."""
    names = {
        state.venue_order_id: name for name, state in sorted(orders.items()) if state.venue_order_id
    }
    ours: defaultdict[str, list[VenueOrder]] = defaultdict(list)
    others: list[VenueOrder] = []
    for listing in listings:
        name = listing.order.client_order_id
        owner = name if name in orders else names.get(listing.venue_order_id)
        if owner is None:
            others.append(listing)
        else:
            ours[owner].append(listing)
    return ours, others


def _by_order(fills: Iterable[Fill]) -> Mapping[str, list[Fill]]:
    by_order: defaultdict[str, list[Fill]] = defaultdict(list)
    for fill in sorted(fills, key=in_time):
        by_order[fill.client_order_id].append(fill)
    return by_order


def _differences_of_others(
    listings: Iterable[VenueOrder], times: Counter[str]
) -> Iterator[Difference]:
    """Orders that are not on record. A foreign one that is over shows in what it left behind."""
    by_venue_name: defaultdict[str, list[VenueOrder]] = defaultdict(list)
    for listing in listings:
        by_venue_name[listing.venue_order_id].append(listing)
    for subject, same in by_venue_name.items():
        found = "; ".join(sorted(_order_words(listing) for listing in same))
        if any(listing.order.client_order_id.startswith(OUR_PREFIX) for listing in same):
            yield _unrecorded(subject, found)
        elif not all(map(is_over, same)):
            yield Difference(
                kind=DifferenceKind.FOREIGN_ORDER,
                subject=subject,
                found=found,
                wanted="only orders of ours",
            )
        if times[subject] > 1:
            yield _listed_again(subject, same)


def _executions_of_nothing(
    orders: Mapping[str, OrderState], snapshot: VenueSnapshot
) -> Iterator[Difference]:
    """Executions of orders that bear our prefix, and that neither side has."""
    known = {*orders, *(listing.order.client_order_id for listing in snapshot.orders)}
    for name in {fill.client_order_id for fill in snapshot.fills} - known:
        if name.startswith(OUR_PREFIX):
            yield _unrecorded(name, "executions of it, and not the order")


def _unrecorded(subject: str, found: str) -> Difference:
    return Difference(
        kind=DifferenceKind.UNRECORDED_ORDER,
        subject=subject,
        found=found,
        wanted=f"every order of ours ({OUR_PREFIX}…) on record",
    )


def _fills_not_at_venue(fills: Iterable[Fill], snapshot: VenueSnapshot) -> Iterator[Difference]:
    at_venue = {_key(fill) for fill in snapshot.fills}
    lacking = {
        _key(fill): fill
        for fill in sorted(fills, key=in_time)
        if must_be_listed(fill.at, snapshot.since) and _key(fill) not in at_venue
    }
    for key, fill in lacking.items():
        yield Difference(
            kind=DifferenceKind.FILL_NOT_AT_VENUE,
            subject="/".join(key),
            found="no such execution",
            wanted=words(
                f"{fill.side.value} {words(fill.quantity)} {fill.symbol} at {words(fill.price)}"
            ),
            amount=excess(Decimal(0), fill.quantity),
        )


def _key(fill: Fill) -> tuple[str, str]:
    """Executions are named within their order (I23)."""
    return fill.client_order_id, fill.execution_id


def _differences_of_unlisted(state: OrderState, executions: Sequence[Fill]) -> Iterator[Difference]:
    name = state.order.client_order_id
    if state.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED):
        yield Difference(
            kind=DifferenceKind.MISSING_ORDER,
            subject=name,
            found="not at the venue",
            wanted=f"{state.status.words}, as {words(state.venue_order_id)}",
        )
    elif executions:
        yield _incomplete(name, "executions of it, and not the order", "the order too")


def _differences_of_listed(
    state: OrderState,
    listing: VenueOrder,
    counted: Sequence[Fill],
    executions: Sequence[Fill],
    since: int,
) -> Iterator[Difference]:
    name = state.order.client_order_id
    if altered := echo_mismatch(state.order, listing.order):
        yield Difference(
            kind=DifferenceKind.ORDER_CONTENT,
            subject=name,
            found=altered,
            wanted="the order as it was sent",
        )
    on_record = {fill.execution_id: fill for fill in counted}
    if listing.unread:
        yield _impossible(name, listing.unread, "words that we know")
    elif why := contradiction(state, listing, executions, on_record):
        yield _impossible(name, why, "a report that can be true")
    else:
        yield from _gaps(name, listing, on_record, executions, since)


def _gaps(
    name: str,
    listing: VenueOrder,
    on_record: Mapping[str, Fill],
    executions: Sequence[Fill],
    since: int,
) -> Iterator[Difference]:
    """What is filled must be what the venue lists as executed, and what it need not list any more.

    All numbers are amounts here, else the venue's word was contradicted already.
    """
    times = Counter(fill.execution_id for fill in executions)
    again = sorted(execution_id for execution_id, listed in times.items() if listed > 1)
    if again:
        yield _incomplete(name, f"listed more than once: {', '.join(again)}", "every one once")
        return
    earlier = [
        fill
        for fill in on_record.values()
        if not (times[fill.execution_id] or must_be_listed(fill.at, since))
    ]
    executed = exact.total(fill.quantity for fill in [*earlier, *executions])
    if executed != listing.filled_quantity:
        found = f"{words(listing.filled_quantity)} filled, and executions of {words(executed)}"
        amount = exact.subtract(listing.filled_quantity, executed)
        yield _incomplete(name, found, "executions of all that is filled", amount)


def _incomplete(subject: str, found: str, wanted: str, amount: Decimal | None = None) -> Difference:
    return Difference(
        kind=DifferenceKind.FILLS_INCOMPLETE,
        subject=subject,
        found=words(found),
        wanted=wanted,
        amount=amount,
    )


def _listed_again(subject: str, listings: Iterable[VenueOrder]) -> Difference:
    """There are two of it, or a page was repeated, in whose place another one may lack (I62)."""
    names = sorted({listing.venue_order_id for listing in listings})
    return _impossible(subject, f"listed more than once, as {', '.join(names)}", "one, listed once")


def _impossible(subject: str, found: str, wanted: str) -> Difference:
    return Difference(
        kind=DifferenceKind.IMPOSSIBLE_ORDER, subject=subject, found=words(found), wanted=wanted
    )


def _order_words(listing: VenueOrder) -> str:
    order = listing.order
    return words(
        f"{order.side.value} {words(order.quantity)} {order.symbol}, {listing.status.words},"
        f" {words(listing.filled_quantity)} filled, named {words(order.client_order_id)}"
        f"{listing.unread and f' ({listing.unread})'}"
    )
