"""What an engine is, as its actors need not know it and whoever looks at it wants to."""

import msgspec

from hydra import __version__
from hydra.ops.going_live.judging import LiveVerdict
from hydra.trading.clearing import ClearingPolicy, earliest_clearing
from hydra.trading.sessions import SessionTable
from hydra.trading.trading_state import Cause


class EngineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the engine, from its start to its end.

    `mode`: which clock and venue, as the design names them. `clearing`: what the settings say about
    how halts end. `configuration`: the settings' digest, `traded_as` that of what is traded on any
    venue. `plugins`: what other distributions brought, each with its version and place. `live`: on
    what ground real money is traded; None: it is not real money.
    """

    mode: str
    venue: str
    account: str | None
    sessions: SessionTable
    clearing: ClearingPolicy
    configuration: str
    traded_as: str = ""
    live: LiveVerdict | None = None
    dry_run: bool = False
    plugins: tuple[str, ...] = ()
    version: str = __version__

    def not_before(self, cause: Cause) -> int | None:
        """Before this market time nothing clears the cause; None: no clock says anything of it."""
        return earliest_clearing(cause, self.clearing, self.sessions)
