"""How what a check looks at is shown: a number with its name and unit. See `explaining`."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.durations import in_ms, in_seconds
from hydra.trading.exact import percent_of
from hydra.trading.situation import Situation

Value: TypeAlias = Decimal | int | str | None


class Number(msgspec.Struct, frozen=True):
    """One thing that a check looks at; `value` None: it was not known."""

    name: str
    value: Value
    unit: str = ""


Look: TypeAlias = Callable[[Situation], tuple[Number, ...] | None]
"""What a check looks at; None if it is not asked about such an order."""


def usd(name: str, amount: Decimal | None) -> Number:
    """An amount of money."""
    return Number(name, amount, "USD")


def share(
    what: str, found: Decimal | None, of: str, whole: Decimal | None, pct: Decimal
) -> tuple[Number, ...]:
    """An amount, and the part of another that is allowed."""
    allowed = None if whole is None else percent_of(whole, pct)
    return (
        usd(what, found),
        usd("at most", allowed),
        Number("that is", pct, "%"),
        usd(of, whole),
    )


def count(what: str, found: int, allowed: int) -> tuple[Number, ...]:
    """How many there were; there has to be room for this one."""
    return (Number(what, found), Number("fewer than", allowed))


def since(what: str, last: int | None, wanted_ns: int, s: Situation) -> tuple[Number, ...]:
    """How long ago something was."""
    ago: Value = "never" if last is None else in_ms(s.at - last)
    ago_unit = "" if last is None else "ms ago"
    return (
        Number(what, ago, ago_unit),
        Number("at least", in_ms(wanted_ns), "ms ago"),
    )


def age(what: str, age_ns: int, allowed_ns: int) -> tuple[Number, ...]:
    """How old something is; below zero, it is from the future."""
    return (
        Number(what, in_seconds(age_ns), "s old"),
        Number("at most", in_seconds(allowed_ns), "s"),
    )


def of_entries(look: Look) -> Look:
    """Most checks are asked of entries alone: nothing must lock a position in."""

    def asked(s: Situation) -> tuple[Number, ...] | None:
        return None if s.proposal.reduces else look(s)

    return asked
