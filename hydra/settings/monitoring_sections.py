"""`monitoring` in `settings.yaml`: how well orders get done, how restless a market is, and which
anomalies halt.

The whole section may be left out; then what is built in holds, which is also what is shipped.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import ValidationInfo, field_validator

from hydra.settings.kinds import Number, WholeNumber
from hydra.settings.safer import Safer
from hydra.settings.section import OnOff, Section, VenueName, percent_of, surroundings

RANK = WholeNumber(1, 99, "percent of the values of before that are lower")
GRANT = percent_of("what the bot may lose in the day")
Bars = Annotated[int, WholeNumber(2, 2000, "bars"), Safer.NEITHER]


class QualitySettings(Section):
    """What of the last orders is remembered, and what counts as bad: a score below a half."""

    # Whoever measures has learned all of it at the start: no value is taken while running.
    orders_remembered: Annotated[int, WholeNumber(1, 200, "orders of a symbol"), Safer.NEITHER]
    minutes_remembered: Annotated[int, WholeNumber(1, 1440, "minutes"), Safer.NEITHER]
    min_orders: Annotated[int, WholeNumber(1, 100, "orders"), Safer.NEITHER]
    half_slippage_bps: Annotated[
        Decimal, Number(Decimal(10_000), "basis points", places=2), Safer.NEITHER
    ]
    half_latency_ms: Annotated[int, WholeNumber(1, 600_000, "milliseconds"), Safer.NEITHER]
    idle_seconds: Annotated[int, WholeNumber(1, 3600, "seconds"), Safer.NEITHER]

    @field_validator("idle_seconds")
    @classmethod
    def _is_found_before_it_is_forgotten(cls, value: int, info: ValidationInfo) -> int:
        minutes = info.data.get("minutes_remembered")
        if minutes is not None and value >= minutes * 60:
            raise ValueError(f"found {value}, wanted less than minutes_remembered ({minutes} min)")
        return value


class RiskShares(Section):
    """What a bot may still risk by entries in each regime.

    What is wilder never allows more than what is calmer, also where it says so: lowering one is
    enough.
    """

    low: Annotated[Decimal, GRANT, Safer.LOWER]
    normal: Annotated[Decimal, GRANT, Safer.LOWER]
    elevated: Annotated[Decimal, GRANT, Safer.LOWER]
    high: Annotated[Decimal, GRANT, Safer.LOWER]
    unknown: Annotated[Decimal, GRANT, Safer.LOWER]


class RegimeSettings(Section):
    """How restless a market is: the rank of its volatility among those of before."""

    window_bars: Bars
    history_bars: Bars
    min_history_bars: Bars
    normal_from_pct: Annotated[int, RANK, Safer.NEITHER]
    elevated_from_pct: Annotated[int, RANK, Safer.NEITHER]
    high_from_pct: Annotated[int, RANK, Safer.NEITHER]
    margin_pct: Annotated[int, WholeNumber(1, 98, "percent, as a rank"), Safer.NEITHER]
    calm_bars: Annotated[int, WholeNumber(1, 2000, "bars"), Safer.NEITHER]
    risk_pct: RiskShares

    @field_validator("min_history_bars")
    @classmethod
    def _can_be_reached(cls, value: int, info: ValidationInfo) -> int:
        return _at_most(value, "history_bars", info)

    @field_validator("elevated_from_pct")
    @classmethod
    def _comes_after_normal(cls, value: int, info: ValidationInfo) -> int:
        return _above(value, "normal_from_pct", info)

    @field_validator("high_from_pct")
    @classmethod
    def _comes_after_elevated(cls, value: int, info: ValidationInfo) -> int:
        return _above(value, "elevated_from_pct", info)

    @field_validator("margin_pct")
    @classmethod
    def _leaves_room_for_calm(cls, value: int, info: ValidationInfo) -> int:
        least = info.data.get("normal_from_pct")
        if least is not None and value >= least:
            raise ValueError(f"found {value}, wanted less than normal_from_pct ({least})")
        return value


def _at_most(value: int, name: str, info: ValidationInfo) -> int:
    most = info.data.get(name)
    if most is not None and value > most:
        raise ValueError(f"found {value}, wanted at most {name} ({most})")
    return value


def _above(value: int, name: str, info: ValidationInfo) -> int:
    least = info.data.get(name)
    if least is not None and value <= least:
        raise ValueError(f"found {value}, wanted more than {name} ({least})")
    return value


class AnomalyHalts(Section):
    """Which anomalies halt while `exitbot.kill_conditions.anomaly_halt` is on. One that is off
    still alarms, and is refused on live.
    """

    nav_jump: Annotated[OnOff, Safer.ON]
    drawdown_flapping: Annotated[OnOff, Safer.ON]
    equity_missing: Annotated[OnOff, Safer.ON]
    unprotected: Annotated[OnOff, Safer.ON]
    router_degraded: Annotated[OnOff, Safer.ON]
    router_idle: Annotated[OnOff, Safer.ON]
    monitor_missing: Annotated[OnOff, Safer.ON]

    @field_validator("*")
    @classmethod
    def _is_on_for_live(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and surroundings(info).venue is VenueName.LIVE:
            raise ValueError("found false, wanted true; on live every anomaly halts")
        return value


class MonitoringSettings(Section):
    """What is measured beside the orders, and what follows from it."""

    quality: QualitySettings
    regimes: RegimeSettings
    anomaly_halt: AnomalyHalts


MONITORED = MonitoringSettings(
    quality=QualitySettings(
        orders_remembered=20,
        minutes_remembered=60,
        min_orders=10,
        half_slippage_bps=Decimal(100),
        half_latency_ms=2000,
        idle_seconds=120,
    ),
    regimes=RegimeSettings(
        window_bars=20,
        history_bars=240,
        min_history_bars=40,
        normal_from_pct=25,
        elevated_from_pct=75,
        high_from_pct=90,
        margin_pct=5,
        calm_bars=10,
        risk_pct=RiskShares(
            low=Decimal(100),
            normal=Decimal(100),
            elevated=Decimal(75),
            high=Decimal(50),
            unknown=Decimal(100),
        ),
    ),
    anomaly_halt=AnomalyHalts(
        nav_jump=True,
        drawdown_flapping=True,
        equity_missing=True,
        unprotected=True,
        router_degraded=True,
        router_idle=True,
        monitor_missing=True,
    ),
)
"""What holds without the section. The thresholds are convention, not a finding."""
