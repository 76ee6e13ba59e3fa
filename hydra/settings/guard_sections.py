"""`guards` in `settings.yaml`: what every order, every bot and the account are held to.

The whole section may be left out; then what is built in holds, which is also what is shipped. With
it every key has to be there: a limit that somebody took out is never one that is unlimited.
"""

from decimal import Decimal
from typing import Annotated

from pydantic import ValidationInfo, field_validator

from hydra.settings.kinds import Number, WholeNumber
from hydra.settings.safer import Safer
from hydra.settings.section import Minutes, Section, Usd, percent_of

Seconds = Annotated[int, WholeNumber(1, 3600, "seconds")]

EQUITY = percent_of("the account's equity")
PEAK = percent_of("the peak equity")


class OrderGuards(Section):
    """What one order is held to by itself. Its value is limited by `risk`."""

    max_quantity: Annotated[
        Decimal,
        # Of a coin at a thousandth of a cent, a million is ten dollars.
        Number(Decimal(1_000_000_000), "shares, contracts or coins", places=9),
        Safer.LOWER,
    ]
    price_collar_pct: Annotated[Decimal, percent_of("the market price"), Safer.LOWER]
    # Longer is safer: more orders are taken for a repetition.
    similar_order_seconds: Annotated[Seconds, Safer.HIGHER]


class ExposureGuards(Section):
    """What may be at stake at once, with all that works or is unknown at its worst."""

    max_symbol_usd: Annotated[Usd, Safer.LOWER]
    max_bot_usd: Annotated[Usd, Safer.LOWER]
    max_gross_pct: Annotated[
        # Four times its equity is the most that a broker lends an account.
        Decimal, Number(Decimal(400), "percent of the account's equity"), Safer.LOWER
    ]
    max_open_risk_pct: Annotated[Decimal, EQUITY, Safer.LOWER]
    gap_factor: Annotated[
        Decimal,
        Number(Decimal(10), "times the distance of a stop", at_least=Decimal(1)),
        Safer.HIGHER,
    ]


class PaceGuards(Section):
    """How much may be attempted in a time, whatever becomes of it, and when a person must look."""

    max_entries_per_minute_per_symbol: Annotated[
        int, WholeNumber(1, 100, "entries a minute"), Safer.LOWER
    ]
    # Fewer exits may leave a position open, fewer cancels an order alive; more may use up what the
    # broker allows: neither way is safer.
    max_exits_per_minute: Annotated[int, WholeNumber(1, 1000, "exits a minute"), Safer.NEITHER]
    max_cancels_per_minute: Annotated[int, WholeNumber(1, 1000, "cancels a minute"), Safer.NEITHER]
    min_entry_gap_seconds: Annotated[Seconds, Safer.HIGHER]
    # Longer is safer: more entries fall within it.
    notional_window_minutes: Annotated[Minutes, Safer.HIGHER]
    max_notional_per_window_usd: Annotated[Usd, Safer.LOWER]
    max_entries_per_day: Annotated[int, WholeNumber(1, 10_000, "entries a day"), Safer.LOWER]
    max_notional_per_day_usd: Annotated[Usd, Safer.LOWER]
    max_consecutive_rejects: Annotated[int, WholeNumber(1, 100, "rejections"), Safer.LOWER]
    max_round_trips_per_bot_per_day: Annotated[
        int, WholeNumber(1, 1000, "round trips a day"), Safer.LOWER
    ]


class EquityGuards(Section):
    """What the account's equity may do, and where the states of a drawdown begin and end."""

    max_session_drawdown_pct: Annotated[Decimal, PEAK, Safer.LOWER]
    drawdown_begins_pct: Annotated[Decimal, PEAK, Safer.LOWER]
    # Lower is safer for these two: the drawdown lasts longer, and the recovery.
    recovery_begins_pct: Annotated[Decimal, PEAK, Safer.LOWER]
    recovery_ends_pct: Annotated[Decimal, PEAK, Safer.LOWER]
    drawdown_flap_count: Annotated[int, WholeNumber(1, 1000, "changes of state"), Safer.LOWER]
    # Longer is safer: more changes fall within it.
    drawdown_flap_window_minutes: Annotated[Minutes, Safer.HIGHER]
    max_nav_jump_pct: Annotated[Decimal, EQUITY, Safer.LOWER]

    @field_validator("drawdown_begins_pct")
    @classmethod
    def _begins_before_trading_stops(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        most = info.data.get("max_session_drawdown_pct")
        if most is not None and value > most:
            raise ValueError(f"found '{value}', wanted at most max_session_drawdown_pct ({most})")
        return value

    @field_validator("recovery_begins_pct")
    @classmethod
    def _begins_after_the_drawdown(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        return _below(value, "drawdown_begins_pct", info)

    @field_validator("recovery_ends_pct")
    @classmethod
    def _ends_after_it_begins(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        return _below(value, "recovery_begins_pct", info)


def _below(value: Decimal, higher: str, info: ValidationInfo) -> Decimal:
    most = info.data.get(higher)
    if most is not None and value >= most:
        raise ValueError(f"found '{value}', wanted less than {higher} ({most})")
    return value


class DeadlineGuards(Section):
    """How soon the broker's side of it has to be known."""

    unknown_outcome_seconds: Annotated[int, WholeNumber(1, 600, "seconds"), Safer.LOWER]
    reconcile_every_seconds: Annotated[int, WholeNumber(1, 60, "seconds"), Safer.LOWER]
    protection_confirm_seconds: Annotated[int, WholeNumber(1, 60, "seconds"), Safer.LOWER]


class GuardSettings(Section):
    """The guards, by what they look at."""

    order: OrderGuards
    exposure: ExposureGuards
    pace: PaceGuards
    equity: EquityGuards
    deadlines: DeadlineGuards


BUILT_IN = GuardSettings(
    order=OrderGuards(
        max_quantity=Decimal(10_000),
        price_collar_pct=Decimal(5),
        similar_order_seconds=5,
    ),
    exposure=ExposureGuards(
        max_symbol_usd=Decimal(25_000),
        max_bot_usd=Decimal(25_000),
        max_gross_pct=Decimal(70),
        max_open_risk_pct=Decimal("0.5"),
        gap_factor=Decimal("1.5"),
    ),
    pace=PaceGuards(
        max_entries_per_minute_per_symbol=6,
        max_exits_per_minute=120,
        max_cancels_per_minute=120,
        min_entry_gap_seconds=1,
        notional_window_minutes=15,
        max_notional_per_window_usd=Decimal(50_000),
        max_entries_per_day=50,
        max_notional_per_day_usd=Decimal(100_000),
        max_consecutive_rejects=3,
        max_round_trips_per_bot_per_day=20,
    ),
    equity=EquityGuards(
        max_session_drawdown_pct=Decimal("1.5"),
        drawdown_begins_pct=Decimal("0.75"),
        recovery_begins_pct=Decimal("0.5"),
        recovery_ends_pct=Decimal("0.25"),
        drawdown_flap_count=4,
        drawdown_flap_window_minutes=60,
        max_nav_jump_pct=Decimal(3),
    ),
    deadlines=DeadlineGuards(
        unknown_outcome_seconds=60,
        reconcile_every_seconds=30,
        protection_confirm_seconds=10,
    ),
)
"""For an account of about 100,000 USD. Tight rather than roomy: too tight costs a trade, and says
so; too loose costs money."""
