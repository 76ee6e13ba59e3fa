"""The ledger of record: every execution, and every other change of money or holdings."""

from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.words import Status


class FillActivity(msgspec.Struct, frozen=True, kw_only=True):
    """One execution of an order. `id` is `YYYYMMDDHHMMSSmmm::uuid` in New York local time.

    The uuid is the execution's id. `is_short` says that the sale opened or enlarged a short.
    """

    id: str
    at: int
    order_id: str
    symbol: str
    side: Side
    is_short: bool
    quantity: Decimal
    price: Decimal
    cumulative_quantity: Decimal
    leaves_quantity: Decimal
    order_status: Status

    @property
    def is_partial(self) -> bool:
        """Whether something of the order was left to do."""
        return self.leaves_quantity > 0


class OtherActivity(msgspec.Struct, frozen=True, kw_only=True):
    """Any other change: `kind` is the broker's word (CFEE, OPEXP, SPLIT, …), `date` an ISO date.

    `net_amount` is what the cash changed by; `quantity` what the holding did.
    """

    id: str
    kind: str
    at: int
    date: str
    net_amount: Decimal
    description: str
    symbol: str | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    status: str = "executed"


Activity: TypeAlias = FillActivity | OtherActivity
