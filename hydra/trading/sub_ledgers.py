"""Money kept per bot on one account: what each bot paid and received, and what it made of it.

The sums over all bots are the account's own, to the last digit: every fill changes exactly one
bot's sub-ledger (SCOPE K3). Fees are not part of a fill: those of an execution are its bot's, those
of the day are nobody's.
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from msgspec import structs

from hydra.trading.exact import add, multiply, subtract, total
from hydra.trading.instruments import value_of
from hydra.trading.inventory import ClosedLot, FifoInventory
from hydra.trading.orders import Fill, Role

ZERO = Decimal(0)

UNATTRIBUTED = "unattributed"
"""The sub-ledger, with no bot behind it, of what came or went without being one's: the account's
own fees, deposits, and the other side of a position that was assigned. No bot may have this name.
"""


class BotInventory(msgspec.Struct, frozen=True):
    """What one bot holds in one symbol."""

    bot: str
    inventory: FifoInventory


class SubLedger(msgspec.Struct, frozen=True, kw_only=True):
    """One bot's money. `cash` is what its fills brought in less what they cost: negative when it
    holds something it paid for. `realised` is the profit of what it has closed.
    """

    bot: str
    cash: Decimal = ZERO
    realised: Decimal = ZERO

    def after(self, fill: Fill, closed: Sequence[ClosedLot]) -> "SubLedger":
        """The sub-ledger once this fill is booked, which closed these lots."""
        value = value_of(fill.symbol, fill.quantity, fill.price)
        return structs.replace(
            self,
            cash=subtract(self.cash, multiply(value, Decimal(fill.side.sign))),
            realised=add(self.realised, total(lot.realised for lot in closed)),
        )

    def adjusted(self, amount: Decimal) -> "SubLedger":
        """With so much more (less) cash, by no trade."""
        return structs.replace(self, cash=add(self.cash, amount))

    def made(self, amount: Decimal) -> "SubLedger":
        """With so much more (less) profit, by no trade."""
        return structs.replace(self, realised=add(self.realised, amount))


class SessionCounters(msgspec.Struct, frozen=True, kw_only=True):
    """What one bot has done in one session; daily limits are held against it, also after a restart.

    `entries` and `exits` (everything that only reduces) count attempts, whatever became of them. A
    round trip is over when the bot's position in a symbol is back at nothing by a fill.
    """

    bot: str
    session: str
    entries: int = 0
    exits: int = 0
    rejections: int = 0
    fills: int = 0
    round_trips: int = 0
    realised: Decimal = ZERO

    def attempted(self, role: Role) -> "SessionCounters":
        """One order more is on its way."""
        if role.reduces:
            return structs.replace(self, exits=self.exits + 1)
        return structs.replace(self, entries=self.entries + 1)

    def rejected(self) -> "SessionCounters":
        """The venue refused one."""
        return structs.replace(self, rejections=self.rejections + 1)

    def filled(self, closed: Sequence[ClosedLot], *, is_flat: bool) -> "SessionCounters":
        """One execution more. `is_flat`: nothing of the symbol is held after it."""
        return structs.replace(
            self,
            fills=self.fills + 1,
            round_trips=self.round_trips + is_flat,
            realised=add(self.realised, total(lot.realised for lot in closed)),
        )

    def made(self, amount: Decimal) -> "SessionCounters":
        """So much more (less) profit, by no trade."""
        return structs.replace(self, realised=add(self.realised, amount))
