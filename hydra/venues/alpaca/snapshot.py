"""The whole account at one instant, put together from what the broker has in several lists.

The lists are read one after the other while the account goes on living. Positions are read first
and last: if they are the same, nothing traded in between, and all lists are of one instant. If
they differ by the last executions that were read, what traded in between is known: that does too,
if the orders have it as well. Else everything is read again, three times at most; where it trades
on and on, the last time the orders may be of a moment before (`late_lists`). Orders that are open
are read twice, with their legs under them and by themselves, since either list alone is known to
leave legs out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import accumulate

from msgspec import structs

from hydra.trading.amounts import is_amount
from hydra.trading.durations import SECOND
from hydra.trading.echo import words
from hydra.trading.exact import add, subtract, total
from hydra.trading.orders import Fill
from hydra.trading.venue_view import VenueFee, VenueOrder, VenueSnapshot
from hydra.venues.alpaca import wire
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.coin_names import CoinNames
from hydra.venues.alpaca.execution_names import ExecutionNames, Part, Teller
from hydra.venues.alpaca.known_orders import KnownOrders
from hydra.venues.alpaca.pages import all_activities, all_orders
from hydra.venues.alpaca.payloads import FillPayload, OrderPayload, PositionPayload
from hydra.venues.alpaca.reads import ReadFailed, Reads
from hydra.venues.alpaca.times import nanoseconds

TRIES = 3
NOTHING = Decimal(0)


def read_snapshot(
    reads: Reads,
    since: int,
    *,
    market_time: Callable[[], int],
    known: KnownOrders,
    names: ExecutionNames,
    coins: CoinNames,
    trades_crypto: bool,
) -> VenueSnapshot:
    """The account as it is now, with what ended and traded since `since`. Raises `ReadFailed`."""
    for number in range(1, TRIES + 1):
        at = market_time()
        try:
            before = reads.positions()
            account = wire.account(reads.account(), trades_crypto)
            orders, executions = _orders_and_executions(reads, since, known, coins)
            fees = _fees(reads, since, coins)
            after = reads.positions()
            is_of_one_moment = number == TRIES or not _are_behind(orders.values(), executions)
            if _held(before) == _held(after) or (
                is_of_one_moment and _are_explained(before, after, executions)
            ):
                symbols = coins.symbols_of(after, reads)
                return VenueSnapshot(
                    at=at,
                    since=since,
                    account=account,
                    positions=tuple(wire.position(each, symbols) for each in after),
                    orders=tuple(orders.values()),
                    fills=_fills(executions, orders, names),
                    fees=fees,
                )
        except BadAnswer as bad:
            raise ReadFailed(str(bad)) from bad
    raise ReadFailed(f"positions changed while they were read, {TRIES} times in a row")


def read_order(
    reads: Reads, client_order_id: str, known: KnownOrders, names: ExecutionNames
) -> tuple[VenueOrder, tuple[Fill, ...]] | None:
    """One order with all its executions so far; None if the broker says that there is none.

    Raises `ReadFailed`, also while the broker does not list all executions that it has counted.
    """
    try:
        payload = reads.order_by_name(client_order_id)
        if payload is None:
            return None
        known.learn(payload)
        _learn_names(reads, [payload], known)
        order = wire.venue_order(payload, known.name_of)
        if not order.filled_quantity:
            return order, ()
        submitted_at = payload.submitted_at
        after = None if submitted_at is None else max(0, nanoseconds(submitted_at) - SECOND)
        executions = all_activities(
            lambda token: reads.fills(
                after=after,
                order_id=payload.id,
                page_token=token,
            )
        )
        own = [each for each in executions if each.order_id == payload.id]
        fills = _fills(own, {payload.id: order}, names)
    except BadAnswer as bad:
        raise ReadFailed(str(bad)) from bad
    if total(fill.quantity for fill in fills) < order.filled_quantity:
        raise ReadFailed(f"{client_order_id} is there, but not all of its executions are listed")
    return order, fills


def _fills(
    executions: Sequence[FillPayload], orders: Mapping[str, VenueOrder], names: ExecutionNames
) -> tuple[Fill, ...]:
    """The executions, each of its order and once, by the name under which it was told first. Raises
    `BadAnswer`.
    """
    fills: dict[tuple[str, str], Fill] = {}
    for execution in executions:
        order = orders.get(execution.order_id)
        if order is None:
            raise BadAnswer(f"execution {words(execution.id)} is of an order that is not there")
        fill = wire.fill(execution, order)
        if (execution.order_id, fill.execution_id) in fills:
            raise BadAnswer(f"execution {words(fill.execution_id)} is listed twice")
        fills[execution.order_id, fill.execution_id] = fill
    return tuple(
        structs.replace(
            fill,
            execution_id=names.name_of(Teller.LIST, order_id, name, _part(execution)),
        )
        for execution, ((order_id, name), fill) in zip(executions, fills.items(), strict=True)
    )


def _part(execution: FillPayload) -> Part | None:
    if execution.cum_qty is None:
        return None
    return execution.cum_qty, execution.qty, execution.price


def _fees(reads: Reads, since: int, coins: CoinNames) -> tuple[VenueFee, ...]:
    after = since if since > 0 else None
    booked = all_activities(lambda token: reads.fees(after=after, page_token=token))
    return tuple(
        fee for each in booked for fee in wire.fees(each, lambda name: coins.pair_of(name, reads))
    )


def _orders_and_executions(
    reads: Reads, since: int, known: KnownOrders, coins: CoinNames
) -> tuple[dict[str, VenueOrder], list[FillPayload]]:
    after = since if since > 0 else None
    payloads: dict[str, OrderPayload] = {}

    def note(found: Iterable[OrderPayload]) -> None:
        for payload in wire.with_legs(found):
            earlier = payloads.get(payload.id)
            payloads[payload.id] = payload if earlier is None else wire.newer(earlier, payload)
            coins.learn(payload)

    def page(status: str, nested: bool, until: int | None) -> list[OrderPayload]:
        bound = None if status == "open" else after
        return reads.orders(status=status, nested=nested, after=bound, until=until)

    open_before = known.open_ids()
    for status, nested in (("open", True), ("open", False), ("closed", False)):
        note(all_orders(partial(page, status, nested)))
    executions = all_activities(
        lambda token: reads.fills(after=after, order_id=None, page_token=token)
    )
    # Lists go by when an order was submitted. One of before `since` that has ended or traded since
    # is found by having been open when last seen, or by its execution.
    for order_id in sorted({*open_before, *(each.order_id for each in executions)} - set(payloads)):
        payload = reads.order(order_id)
        if payload is None:
            known.forget(order_id)
        else:
            note([payload])
    for payload in payloads.values():
        known.learn(payload)
    _learn_names(reads, payloads.values(), known)
    return {
        order_id: wire.venue_order(payload, known.name_of) for order_id, payload in payloads.items()
    }, executions


def _learn_names(reads: Reads, payloads: Iterable[OrderPayload], known: KnownOrders) -> None:
    """Of the orders that these replace, or are replaced by."""
    others = {other for each in payloads for other in (each.replaced_by, each.replaces) if other}
    for order_id in sorted(others):
        if known.name_of(order_id) is None:
            payload = reads.order(order_id)
            if payload is not None:
                known.learn(payload)


def _are_explained(
    before: list[PositionPayload], after: list[PositionPayload], executions: list[FillPayload]
) -> bool:
    """Whether the last executions that were read are what the positions differ by."""
    held, now_held = _held(before), _held(after)
    symbols = {each.asset_id: each.symbol for each in (*before, *after)}
    return all(
        subtract(now_held.get(asset, NOTHING), held.get(asset, NOTHING))
        in _last_changes(executions, symbol)
        for asset, symbol in symbols.items()
    )


def _are_behind(orders: Iterable[VenueOrder], executions: list[FillPayload]) -> bool:
    """Whether more of an order was executed than it says is filled."""
    executed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in executions:
        if is_amount(each.qty):
            executed[each.order_id] = add(executed[each.order_id], each.qty)
    return any(executed[order.venue_order_id] > order.filled_quantity for order in orders)


def _last_changes(executions: list[FillPayload], symbol: str) -> Iterator[Decimal]:
    """What none, the last one, the last two, and so on, have changed what is held of it by."""
    own = [each for each in executions if each.symbol == symbol and is_amount(each.qty)]
    own.sort(key=lambda each: (nanoseconds(each.transaction_time), each.cum_qty or NOTHING))
    changes = (each.qty if each.side == "buy" else each.qty.copy_negate() for each in reversed(own))
    return accumulate(changes, add, initial=NOTHING)


def _held(positions: list[PositionPayload]) -> dict[str, Decimal]:
    """By asset, fit to be compared. Raises `BadAnswer`."""
    held = {each.asset_id: wire.amount(each.qty, "qty") for each in positions}
    if len(held) != len(positions):
        raise BadAnswer("a position is listed twice")
    for asset, quantity in held.items():
        if not is_amount(quantity):
            raise BadAnswer(f"of {words(asset)} {words(quantity)} is held, which is no amount")
    return held
