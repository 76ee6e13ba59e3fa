"""An operator's decision about a difference with the venue, as what it puts on record."""

from decimal import Decimal
from hashlib import blake2b
from typing import TypeVar

import msgspec

from hydra.ports import Ledger, RecordRefused
from hydra.trading.differences import DifferenceKind
from hydra.trading.exact import add
from hydra.trading.orders import DecisionKey, Order, OrderType, Role, Side
from hydra.trading.venue_view import VenueOrder, VenueSnapshot
from messages.orders import OrderCanceled, OrderIntent, ReportStored
from messages.reconciliation import SettleDifference

T = TypeVar("T")

ZERO = Decimal(0)
ADOPTED_FROM = 1 << 40
"""Signal numbers of decisions that an operator made by adopting an order."""


class Settled(msgspec.Struct, frozen=True):
    """What follows from a decision, for the operator. `stored`: what is on record of an order by
    it, as if it had been reported; whoever acts on reports has to hear it.
    """

    note: str
    stored: ReportStored | None = None


def settle(
    ledger: Ledger, wish: SettleDifference, snapshot: VenueSnapshot, at: int, session: str
) -> Settled:
    """Record it, not yet durable. `snapshot` showed the difference, and `session` is the day that a
    decision of now is of.

    Raises RecordRefused for what does not fit, with the record as it was.
    """
    reason, operator = wish.reason, wish.operator
    match wish.decision:
        case "adjust":
            amount = _given(wish.amount, "an amount")
            ledger.adjust_cash(amount, reason=reason, operator=operator, at=at)
            return Settled(f"{amount:f} USD more are accepted, for no bot")
        case "assign":
            quantity = _given(wish.amount, "a quantity")
            bot, price = _given(wish.bot, "a bot"), _given(wish.price, "a price")
            _require_no_opposites(ledger, bot, wish.subject, quantity)
            ledger.assign_position(
                bot, wish.subject, quantity, price=price, reason=reason, operator=operator, at=at
            )
            return Settled(f"{quantity:f} {wish.subject} are {bot}'s, at {price:f}")
        case "exclude":
            left_alone = _left_alone(ledger, wish, snapshot)
            ledger.exclude_difference(
                wish.kind, wish.subject, left_alone, reason=reason, operator=operator, at=at
            )
            return Settled(f"{wish.subject} is left alone{_follows(wish.kind)}")
        case "adopt" if wish.kind is DifferenceKind.MISSING_ORDER:
            return _count_as_over(ledger, wish, at)
        case "adopt":
            return Settled(_adopt(ledger, wish, snapshot, at, session))


def _require_no_opposites(ledger: Ledger, bot: str, symbol: str, quantity: Decimal) -> None:
    """Two bots on two sides would offset each other: no exit of either reduces what the account
    holds, and a flatten finds nothing to close. By trading it cannot come to that.
    """
    inventories = ledger.guardian_record("").inventories
    held = {
        each.bot: each.inventory.position for each in inventories if each.inventory.symbol == symbol
    }
    wanted = add(held.pop(bot, ZERO), quantity)
    for other, position in held.items():
        if wanted * position < 0:
            raise RecordRefused(
                f"{bot} would hold {wanted:f} {symbol} beside the {position:f} of {other}, and"
                " neither could be closed at the venue, which has one position; assign it to"
                f" {other} as far as that holds any"
            )


def _follows(kind: DifferenceKind) -> str:
    """What becomes of an order on record, if the difference is about one."""
    match kind:
        case (
            DifferenceKind.ORDER_CONTENT
            | DifferenceKind.IMPOSSIBLE_ORDER
            | DifferenceKind.FILLS_INCOMPLETE
        ):
            return "; it ends on record as soon as the venue lists it as over"
        case _:
            return ""


def _left_alone(ledger: Ledger, wish: SettleDifference, snapshot: VenueSnapshot) -> Decimal | None:
    """Of a position: all that is left alone from now on, what was before included."""
    if wish.kind is not DifferenceKind.POSITION:
        return None
    before = ledger.record_view(snapshot).excluded_positions.get(wish.subject, ZERO)
    return add(before, _given(wish.amount, "a quantity"))


def _count_as_over(ledger: Ledger, wish: SettleDifference, at: int) -> Settled:
    """A person has looked: the venue does not have it, so nothing of it will trade any more."""
    report = OrderCanceled(client_order_id=wish.subject, at=at)
    recorded = ledger.record_report(report, at)
    note = f"{wish.subject} counts as taken out of the market"
    if recorded.duplicate or recorded.is_rewording:  # its end was heard of meanwhile, and told
        return Settled(note)
    return Settled(note, ReportStored(decision=recorded.decision, report=report))


def _adopt(
    ledger: Ledger, wish: SettleDifference, snapshot: VenueSnapshot, at: int, session: str
) -> str:
    bot, listing = _given(wish.bot, "a bot"), _listed(wish.subject, snapshot)
    order = listing.order
    if not order.client_order_id:
        raise RecordRefused(
            f"order {wish.subject} has no name that we could book it under; cancel it at the venue,"
            " or exclude it"
        )
    if listing.unread:
        raise RecordRefused(
            f"order {wish.subject} cannot be kept on record ({listing.unread}); cancel it at the"
            " venue, or exclude it"
        )
    intent = OrderIntent(
        decision=DecisionKey(
            bot=bot,
            symbol=order.symbol,
            session=session,
            signal=_signal_of(listing),
            role=_role_of(order, snapshot),
        ),
        side=order.side,
        quantity=order.quantity,
        reason=f"adopted: {wish.reason}",
        decided_at=at,
        reference_price=None,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
    )
    ledger.adopt_order(intent, order, reason=wish.reason, operator=wish.operator, at=at)
    side = "buys" if order.side is Side.BUY else "sells"
    return f"{wish.subject} {side} for {bot} from now on"


def _role_of(order: Order, snapshot: VenueSnapshot) -> Role:
    """What it does at the venue, whosever that is on record: what it closes may be assigned later,
    and until then a halt must not take the protection of it out as an entry (I11).
    """
    held = {each.symbol: each.quantity for each in snapshot.positions}.get(order.symbol, ZERO)
    if held * order.side.sign >= 0:
        return Role.ENTRY
    return Role.PROTECT if order.order_type is OrderType.STOP else Role.EXIT


def _listed(subject: str, snapshot: VenueSnapshot) -> VenueOrder:
    for listing in snapshot.orders:
        if subject in (listing.venue_order_id, listing.order.client_order_id):
            return listing
    raise RecordRefused(f"order {subject} was not at the venue when it was last read")


def _signal_of(listing: VenueOrder) -> int:
    """A number for its decision that no bot counts up to, and the same whenever it is asked for."""
    digest = blake2b(listing.venue_order_id.encode(), digest_size=6).digest()
    return ADOPTED_FROM + int.from_bytes(digest)


def _given(value: T | None, what: str) -> T:
    if value is None:
        raise RecordRefused(f"the decision needs {what}")
    return value
