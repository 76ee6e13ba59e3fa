"""What the brokerage says to a request, and what the trading stream tells because of it."""

from typing import TypeAlias

import msgspec

from hydra.venues.simulated.brokerage.configuration import AccountConfiguration
from hydra.venues.simulated.brokerage.orders import BrokerOrder, TradeUpdate
from hydra.venues.simulated.brokerage.refusals import Refusal


class Closed(msgspec.Struct, frozen=True):
    """One row of a bulk answer: `name` is the order's id (cancel all) or the position's symbol.

    `status` is the HTTP status of this row alone; the body is the order, or why not.
    """

    name: str
    status: int
    body: BrokerOrder | Refusal


class Exercised(msgspec.Struct, frozen=True):
    """An instruction about an option contract was taken; its effect comes as activities."""

    contract: str


Answer: TypeAlias = (
    BrokerOrder | tuple[Closed, ...] | Exercised | AccountConfiguration | Refusal | None
)
"""What a request gives: the order placed or its replacement, the rows of a bulk request, the
configuration now in force, None for a cancel that was taken, or a refusal.
"""


class Answered(msgspec.Struct, frozen=True):
    """The answer to one request, and the updates that it caused, in causal order.

    The answer is as of the request: an order that was filled at once still answers pending_new.
    """

    answer: Answer
    updates: tuple[TradeUpdate, ...] = ()
