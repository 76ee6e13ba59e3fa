"""What the ledger knows of the fees of a bot's executions in a symbol."""

from collections.abc import Iterator
from decimal import Decimal

import apsw
import msgspec

from hydra.store.events import FeeAccrued, FeeBooked, FeesObserved, decoded
from hydra.store.reading import Records
from hydra.trading.exact import add, subtract
from hydra.trading.fees import USD, Fee
from hydra.trading.inventory import FifoInventory, fee_lot


class CoinsKept(msgspec.Struct, frozen=True, kw_only=True):
    """So many coins more (below zero: fewer) of an execution were taken to be the venue's.

    `accrued`: it went on record with the execution.
    """

    seq: int
    fee: Fee
    amount: Decimal
    accrued: bool

    def taken_from(self, inventory: FifoInventory) -> FifoInventory:
        """What the bot has left."""
        lot = fee_lot(self.fee.execution_id)
        if self.amount > 0:
            return inventory.charged(self.amount, self.fee.at, lot)[0]
        return inventory.credited(self.amount.copy_negate(), self.fee.at, lot)[0]


def fees_of(records: Records, client_order_id: str) -> dict[str, Fee]:
    """What the venue kept of each execution of the order, as it is known now, by execution."""
    found = (record.fee for record in records.fees_of_orders([client_order_id]))
    return {fee.execution_id: fee for fee in found}


def coins_kept(connection: apsw.Connection, bot: str, symbol: str) -> Iterator[CoinsKept]:
    """Whatever fees took from the bot's position in the symbol, or gave back, as it was recorded.

    What is dust is nobody's, and not in it.
    """
    known: dict[tuple[str, str], Fee] = {}
    told = "SELECT seq, body FROM events WHERE kind IN (?, ?) ORDER BY seq"
    for seq, body in connection.execute(told, (FeeAccrued.__name__, FeesObserved.__name__)):
        event = decoded(body)
        if isinstance(event, FeeAccrued):
            fee = event.fee
            if (fee.bot, fee.asset) == (bot, symbol):
                known[(fee.client_order_id, fee.execution_id)] = fee
                yield CoinsKept(seq=seq, fee=fee, amount=fee.amount, accrued=True)
        elif isinstance(event, FeesObserved):
            for change in event.observation.changes:
                name = (change.client_order_id, change.execution_id)
                if name not in known:
                    continue
                before = known[name]
                known[name] = msgspec.structs.replace(before, amount=change.amount)
                more = add(subtract(change.amount, before.amount), change.dust)
                if more:
                    yield CoinsKept(seq=seq, fee=known[name], amount=more, accrued=False)


def orders_of(event: FeeAccrued | FeesObserved | FeeBooked) -> frozenset[str]:
    """Which orders the event is about."""
    match event:
        case FeeAccrued(fee=fee):
            return frozenset((fee.client_order_id,))
        case FeesObserved(observation=observation):
            return frozenset(each.client_order_id for each in observation.changes)
        case FeeBooked(booking=booking):
            return frozenset(each.client_order_id for each in booking.parts)


def words_of(event: FeeAccrued | FeesObserved | FeeBooked) -> str:
    """What the event means, for people."""
    match event:
        case FeeAccrued(fee=fee):
            return accrued_in_words(fee)
        case FeesObserved(observation=observation):
            kept = ", ".join(
                f"{each.amount:f} of execution {each.execution_id}" for each in observation.changes
            )
            asset = _of(observation.asset)
            return f"a comparison with the venue has shown what it kept: {kept}{asset}"
        case FeeBooked(booking=booking):
            charge = booking.charge
            return (
                f"the venue booked a fee of {charge.amount:f}{_of(charge.asset)}"
                f" (activity {charge.activity_id})"
            )


def accrued_in_words(fee: Fee) -> str:
    """That it is taken to be so much."""
    return (
        f"the venue is taken to keep {fee.amount:f}{_of(fee.asset)} (execution {fee.execution_id})"
    )


def _of(asset: str) -> str:
    return f" {asset}" if asset == USD else f" of {asset}"
