"""How well orders get done, and how restless the markets are: the execution monitor's word.

execution monitor -> guardian and whoever shows it: ExecutionReported;
guardian -> execution monitor: RouterLookedInto.
"""

from collections.abc import Mapping
from decimal import Decimal

from hydra.trading.execution_quality import RouterState
from hydra.trading.regimes import Regime
from messages.message import Message


class ExecutionReported(Message, frozen=True, kw_only=True):
    """Told after each loop, and whenever a regime has changed. `at` is market time.

    `regimes` names the symbols of which the regime is known now; or, where `is_whole` is false,
    those alone of which it is another now than it was (None: not known any more). `score` is from
    0 to 1, None while too few orders were answered.
    """

    at: int
    regimes: Mapping[str, Regime | None]
    is_whole: bool
    router: RouterState
    score: Decimal | None


class RouterLookedInto(Message, frozen=True, kw_only=True):
    """A person lets the alarm of the router go: what was sent before says nothing any more."""


ROUTER_TOPIC = "router"
"""Where the guardian publishes `RouterLookedInto`."""
EXECUTION_TOPIC = "execution"
"""Where the execution monitor publishes `ExecutionReported`."""
