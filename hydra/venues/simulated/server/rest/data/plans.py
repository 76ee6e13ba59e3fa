"""Which data an account may see: by feed, and by how recent they are."""

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from hydra.trading.durations import MINUTE
from hydra.venues.simulated.server.rest.errors import DataRefused
from hydra.venues.simulated.server.rest.parameters import Parameters
from hydra.venues.simulated.server.rest.settings import DataPlan

RECENT_NS = 15 * MINUTE
"""Consolidated data are for everybody once they are so old."""

DelayOf: TypeAlias = Callable[[Parameters, DataPlan, int | None], int]
"""From the query, the plan, and the age (ns) of the newest row that is asked for, None where it is
the latest: by how many ns the data must be late. Raises `DataRefused`.
"""


class StockFeed(Enum):
    """Where stock data come from."""

    IEX = "iex"
    SIP = "sip"
    DELAYED_SIP = "delayed_sip"
    BOATS = "boats"
    OVERNIGHT = "overnight"


class OptionFeed(Enum):
    """Where option data come from."""

    INDICATIVE = "indicative"
    OPRA = "opra"


def stock_delay(given: Parameters, plan: DataPlan, age: int | None) -> int:
    """History comes from all exchanges unless said otherwise, the latest from what is paid for."""
    feed = given.choice("feed", StockFeed)
    if feed is StockFeed.DELAYED_SIP:
        return RECENT_NS
    wants_all = feed is StockFeed.SIP or (feed is None and age is not None)
    if wants_all and plan is DataPlan.BASIC and (age is None or age < RECENT_NS):
        raise DataRefused(403, "subscription does not permit querying recent SIP data")
    return 0


def option_delay(given: Parameters, plan: DataPlan, _age: int | None) -> int:
    """The exact quotes cost; what is free is not late here, though on the real service it is."""
    if given.choice("feed", OptionFeed) is OptionFeed.OPRA and plan is DataPlan.BASIC:
        raise DataRefused(403, "subscription does not permit querying OPRA data")
    return 0


def no_feed(_given: Parameters, _plan: DataPlan, _age: int | None) -> int:
    """Coins' data are free."""
    return 0
