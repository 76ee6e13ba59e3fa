"""A bot as the engine needs it, whatever it is made of: for those that no module here knows."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from hydra.actor import ChildSpec
from hydra.trading.sessions import Window


class Outsider(msgspec.Struct, frozen=True, kw_only=True):
    """What starts it, and what the guardian, the feed and the budgets have to know of it.

    `spec` bears the bot's id as its name. `warm_ups` names what it trades, and how many bars of
    each it may ask for. `is_foreign`: another distribution brought it, so it may decide in its own
    name only.
    """

    spec: ChildSpec
    trade_window: Window
    bucket: str
    warm_ups: Mapping[str, int]
    is_foreign: bool = False
    entry_notional_usd: Decimal | None = None
    """What one entry of it is to buy, as its section and the strategy mode say; None: it is one of
    ours, and keeps to that itself.
    """

    @property
    def bot_id(self) -> str:
        """What it is called."""
        return self.spec.name
