"""On what terms the venue answers over REST."""

from enum import Enum

import msgspec

MIB = 1 << 20


class DataPlan(Enum):
    """What market data the account has paid for."""

    BASIC = "basic"
    """One exchange's stock data; consolidated data and exact option quotes are refused."""
    PLUS = "plus"
    """All feeds."""


class RestTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Requests in a minute for each plane (None: without limit), plan, and size of a body."""

    trading_per_minute: int | None = 200
    data_per_minute: int | None = 200
    plan: DataPlan = DataPlan.BASIC
    body_bytes_max: int = MIB
