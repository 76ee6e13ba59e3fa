"""What the bots' sections in `bots.yaml` are made of."""

import re
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Annotated, ClassVar, Self, TypeVar

from pydantic import AfterValidator, ValidationInfo, field_validator, model_validator

from hydra.settings.kinds import (
    Choice,
    ClockTime,
    Number,
    OffOr,
    Parameter,
    ParameterValue,
    WholeNumber,
    Word,
)
from hydra.settings.local_times import OpenDays, fault_of
from hydra.settings.safer import Safer
from hydra.settings.section import (
    Minutes,
    OnOff,
    Section,
    Usd,
    VenueName,
    percent_of,
    surroundings,
)
from hydra.trading.orders import OrderType, TimeInForce

WindowTime = Annotated[time, ClockTime(), Safer.NARROWER]


class TradingWindow(Section):
    """Entries from `trade_start` to `trade_end`, positions looked after until `manage_until`.

    Local times of day in `system.timezone`; a window may run past midnight.
    """

    LONGEST_MINUTES: ClassVar[int] = 24 * 60
    OPEN_DAYS: ClassVar[OpenDays] = OpenDays.EVERY_DAY

    trade_start: WindowTime
    trade_end: WindowTime
    manage_until: WindowTime

    @field_validator("trade_start", "trade_end", "manage_until")
    @classmethod
    def _is_once_on_every_day(cls, at: time, info: ValidationInfo) -> time:
        zone = surroundings(info).timezone
        fault = None if zone is None else fault_of(at, zone, cls.OPEN_DAYS)
        if fault is not None:
            raise ValueError(fault)
        return at

    @field_validator("trade_end")
    @classmethod
    def _is_not_empty(cls, trade_end: time, info: ValidationInfo) -> time:
        if trade_end == info.data.get("trade_start"):
            raise ValueError(
                f"found {trade_end:%H:%M}, which is trade_start too, so the window is empty; "
                "the whole day is 00:00 to 23:59"
            )
        return trade_end

    @field_validator("manage_until")
    @classmethod
    def _is_last_and_not_too_late(cls, manage_until: time, info: ValidationInfo) -> time:
        trade_start, trade_end = info.data.get("trade_start"), info.data.get("trade_end")
        if trade_start is None or trade_end is None:
            return manage_until
        managed = _minutes_between(trade_start, manage_until)
        found = f"{trade_start:%H:%M}, {trade_end:%H:%M}, {manage_until:%H:%M}"
        if managed < _minutes_between(trade_start, trade_end):
            raise ValueError(
                f"found {found}, wanted trade_start before trade_end, and that not after "
                "manage_until"
            )
        if managed > cls.LONGEST_MINUTES:
            raise ValueError(
                f"found {found}, which is {managed / 60:.1f} hours from trade_start to "
                f"manage_until, wanted at most {cls.LONGEST_MINUTES // 60}"
            )
        return manage_until


class StockWindow(TradingWindow):
    """A window within a trading day at the exchanges (04:00 to 20:00 in New York).

    Its length is bounded, so that a time before `trade_start` is not taken for the day after.
    """

    LONGEST_MINUTES: ClassVar[int] = 16 * 60
    OPEN_DAYS: ClassVar[OpenDays] = OpenDays.EXCHANGE_DAYS


def _minutes_between(start: time, end: time) -> int:
    """From one time of day to the next occurrence of the other."""
    return ((end.hour - start.hour) * 60 + end.minute - start.minute) % (24 * 60)


class TradeLimits(Section):
    """How often and how much at once one bot may trade."""

    max_trades_per_day: Annotated[int, WholeNumber(1, 1000, "entries a day"), Safer.LOWER]
    max_concurrent_positions: Annotated[int, WholeNumber(1, 100, "positions"), Safer.LOWER]


class Exits(Section):
    """When a position is closed; the sooner, the less is at stake."""

    stop_loss_pct: Annotated[Decimal, percent_of("the entry price"), Safer.LOWER]
    take_profit_pct: Annotated[
        Decimal, Number(Decimal(1000), "percent of the entry price"), Safer.LOWER
    ]
    time_stop_minutes: Annotated[Minutes, Safer.LOWER]


class MomentumExits(Exits):
    """When a momentum bot closes. `trailing_stop_pct` off: no stop follows the price."""

    trailing_stop_pct: Annotated[
        Decimal | None,
        OffOr(Number(Decimal(99), "percent of the highest price since the entry")),
        Safer.LOWER,
    ] = None


FRACTION = "fraction of the premium, 0.40 is 40 %"


class OptionExits(Section):
    """When an option position is closed. Fractions of the premium: 0.40 is 40 %."""

    take_profit_pct: Annotated[Decimal, Number(Decimal(10), FRACTION), Safer.LOWER]
    stop_loss_pct: Annotated[Decimal, Number(Decimal(1), FRACTION), Safer.LOWER]
    time_stop_minutes: Annotated[Minutes, Safer.LOWER]
    flatten_before_close_minutes: Annotated[int, WholeNumber(1, 390, "minutes"), Safer.HIGHER]


class Signal(Section):
    """Which strategy decides, on bars of which length, and its parameters as it names them."""

    mode: Annotated[
        str,
        Word(re.compile(r"[a-z][a-z0-9_]{0,63}"), "the name of a strategy in lower case"),
        Safer.NEITHER,
    ]
    params: Annotated[
        Mapping[str, Annotated[ParameterValue, Parameter()]],
        AfterValidator(MappingProxyType),
        Safer.NEITHER,
    ]
    # Defaults, because a bar of one minute is what the market gives.
    bar_minutes: Annotated[int, WholeNumber(1, 390, "minutes"), Safer.NEITHER] = 1
    """How long the bars are that the strategy decides on."""
    entry_minutes: Annotated[int, WholeNumber(1, 390, "minutes"), Safer.NEITHER] = 1
    """How often, within such a bar, an entry may be made on what the last one said."""

    @field_validator("entry_minutes")
    @classmethod
    def _divides_the_bar(cls, value: int, info: ValidationInfo) -> int:
        bar = info.data.get("bar_minutes")
        if bar is not None and bar % value:
            raise ValueError(f"found {value}, wanted a divisor of bar_minutes ({bar})")
        return value

    @model_validator(mode="after")
    def _suits_the_strategy(self, info: ValidationInfo) -> Self:
        check = surroundings(info).signal_check
        wrong = None if check is None else check(self.mode, self.params)
        if wrong is not None:
            raise ValueError(wrong)
        return self


class Execution(Section):
    """How a bot enters: `default_notional_usd` is what one entry buys."""

    default_notional_usd: Annotated[Usd, Safer.LOWER]

    @field_validator("default_notional_usd")
    @classmethod
    def _is_within_the_order_limit(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        return _within_the_order_limit(value, info)


def _within_the_order_limit(value: Decimal, info: ValidationInfo) -> Decimal:
    most = surroundings(info).order_notional_usd_max
    if most is not None and value > most:
        raise ValueError(f"found '{value}', wanted at most risk.max_order_notional_usd ({most})")
    return value


class OptionExecution(Section):
    """How the options bot enters: `default_premium_usd` is the most that one entry pays.

    What is not filled in time is canceled.
    """

    default_premium_usd: Annotated[Usd, Safer.LOWER]
    cancel_unfilled_seconds: Annotated[int, WholeNumber(5, 3600, "seconds"), Safer.LOWER]

    @field_validator("default_premium_usd")
    @classmethod
    def _is_within_the_order_limit(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        return _within_the_order_limit(value, info)


class ProtectiveOrder(Enum):
    """What closes a position at its stop: the engine alone, or a stop order at the venue as well.

    The order rests there in case the engine is gone. Beside it the venue takes no entry in the same
    ticker, of whichever bot.
    """

    ENGINE = "engine"
    RESTING = "resting"


class MomentumExecution(Execution):
    """How a momentum bot enters, and what then protects the position."""

    protective_order: Annotated[ProtectiveOrder, Choice(tuple(ProtectiveOrder)), Safer.LAST] = (
        ProtectiveOrder.RESTING
    )


class CryptoExecution(Execution):
    """How the crypto bot enters; it leaves at the market.

    `use_notional`: `default_notional_usd` is the most that an entry costs, at its limit. Otherwise
    it says how many coins are wanted, at the price that was seen; they may cost a little more.
    """

    order_type: Annotated[OrderType, Choice((OrderType.LIMIT, OrderType.MARKET)), Safer.NEITHER]
    tif: Annotated[TimeInForce, Choice((TimeInForce.GTC, TimeInForce.IOC)), Safer.NEITHER]
    use_notional: Annotated[OnOff, Safer.NEITHER]


class KillConditions(Section):
    """Which conditions halt. One that is off still alarms, and is refused on live."""

    api_failure_halt: Annotated[OnOff, Safer.ON]
    data_stale_halt: Annotated[OnOff, Safer.ON]
    max_daily_loss_halt: Annotated[OnOff, Safer.ON]
    anomaly_halt: Annotated[OnOff, Safer.ON]

    @field_validator("*")
    @classmethod
    def _is_on_for_live(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and surroundings(info).venue is VenueName.LIVE:
            raise ValueError("found false, wanted true; on live every kill condition halts")
        return value


DAILY_RISK = percent_of("the day's risk budget")


class Buckets(Section):
    """How the day's risk budget is shared among the kinds of bots."""

    momentum_bucket_pct_of_daily_risk: Annotated[Decimal, DAILY_RISK, Safer.LOWER]
    options_bucket_pct_of_daily_risk: Annotated[Decimal, DAILY_RISK, Safer.LOWER]
    crypto_bucket_pct_of_daily_risk: Annotated[Decimal, DAILY_RISK, Safer.LOWER]

    @model_validator(mode="after")
    def _share_out_no_more_than_there_is(self) -> Self:
        total = (
            self.momentum_bucket_pct_of_daily_risk
            + self.options_bucket_pct_of_daily_risk
            + self.crypto_bucket_pct_of_daily_risk
        )
        if total > 100:
            raise ValueError(f"found {total} percent in all, wanted at most 100")
        return self


class Guardrails(Section):
    """The least and the most of the day's risk budget that one bot gets."""

    per_bot_min_pct_of_daily_risk: Annotated[Decimal, DAILY_RISK, Safer.LOWER]
    per_bot_max_pct_of_daily_risk: Annotated[Decimal, DAILY_RISK, Safer.LOWER]

    @field_validator("per_bot_max_pct_of_daily_risk")
    @classmethod
    def _is_not_below_the_minimum(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        return _not_below(value, "per_bot_min_pct_of_daily_risk", info)


class ChainRules(Section):
    """Which option contracts are considered: days to expiry, and delta without its sign; how far
    apart bid and ask may be, how many contracts others hold, how old a quote may be.

    A narrower range is safer: fewer contracts are. What is left out is as it is shipped.
    """

    dte_min: Annotated[int, WholeNumber(1, 1000, "days to expiry"), Safer.HIGHER]
    dte_max: Annotated[int, WholeNumber(1, 1000, "days to expiry"), Safer.LOWER]
    delta_min: Annotated[Decimal, Number(Decimal(1), "delta"), Safer.HIGHER]
    delta_max: Annotated[Decimal, Number(Decimal(1), "delta"), Safer.LOWER]
    max_spread_pct: Annotated[
        Decimal, Number(Decimal(50), "percent of the ask, from bid to ask"), Safer.LOWER
    ] = Decimal(8)
    min_open_interest: Annotated[
        int, WholeNumber(1, 1_000_000, "contracts of open interest"), Safer.HIGHER
    ] = 100
    max_quote_age_seconds: Annotated[
        int, WholeNumber(1, 600, "seconds of market time"), Safer.LOWER
    ] = 60

    @field_validator("dte_max")
    @classmethod
    def _dte_is_a_range(cls, value: int, info: ValidationInfo) -> int:
        return _not_below(value, "dte_min", info)

    @field_validator("delta_max")
    @classmethod
    def _delta_is_a_range(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        return _not_below(value, "delta_min", info)


Amount = TypeVar("Amount", int, Decimal)


def _not_below(value: Amount, lower: str, info: ValidationInfo) -> Amount:
    least = info.data.get(lower)
    if least is not None and value < least:
        raise ValueError(f"found '{value}', wanted at least {lower} ({least})")
    return value
