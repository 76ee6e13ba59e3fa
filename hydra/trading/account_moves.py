"""What a record says that the money of one account did, event by event, bot by bot."""

from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

import msgspec

ZERO = Decimal(0)


class MoveKind(Enum):
    """What an event did to money and holdings."""

    EXECUTION = "execution"
    FEE = "fee"
    """What the venue keeps of an execution, by all that is known of it now."""
    DUST = "dust"
    """Coins that a fee turned out to have left over, when the bot had sold all: nobody's."""
    ASSIGNED = "assigned"
    """An operator gave a bot what was nobody's, or took it: the account traded nothing."""


class BookedMove(msgspec.Struct, frozen=True, kw_only=True):
    """What one event changed of one bot: `quantity` of `symbol`, `cash` (USD), and what it
    `realised`, each signed. A fee and dust bear the name of their execution.
    """

    kind: MoveKind
    bot: str
    symbol: str
    at: int
    order: str = ""
    execution_id: str = ""
    quantity: Decimal = ZERO
    cash: Decimal = ZERO
    realised: Decimal = ZERO
    price: Decimal | None = None

    @property
    def name(self) -> tuple[str, str]:
        """Executions are named within their order (I23)."""
        return self.order, self.execution_id


class Opening(msgspec.Struct, frozen=True):
    """The account's cash (USD) before the first order of a record, and when that was (UTC ns)."""

    cash: Decimal
    at: int


class RecordSide(msgspec.Struct, frozen=True, kw_only=True):
    """All that a bridge needs of a ledger; all of one moment.

    `names`: our name of an order by the venue's. `booked`: activities that were taken up as fees.
    `unbooked`: by asset and symbol, what is on record of fees that no activity was taken up for.
    `unseen`: how many fees no comparison with the venue has seen. `opening` None: nothing was
    compared yet. `last_at`: when it was last written to (market time, UTC ns). `unnamed`: orders
    that may be at the venue, or may have been, and whose name there is not known.
    """

    moves: tuple[BookedMove, ...] = ()
    names: Mapping[str, str] = {}
    booked: frozenset[str] = frozenset()
    unbooked: Mapping[tuple[str, str], Decimal] = {}
    unseen: int = 0
    account: str | None = None
    life: str = ""
    opening: Opening | None = None
    last_at: int = 0
    unnamed: tuple[str, ...] = ()
