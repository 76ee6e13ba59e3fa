"""What every check said of a situation, with its numbers, for whoever asks why.

The checks decide; this only shows. So a number that a check comes to read is added in
`order_numbers` or `money_numbers` too, and the tests hold every number that a check gives as its
reason against those that are shown.
"""

from decimal import Decimal
from enum import Enum

import msgspec

from hydra.trading.check_numbers import Number
from hydra.trading.exact import subtract
from hydra.trading.money_numbers import MONEY_LOOKS
from hydra.trading.order_checks import trading_is_open
from hydra.trading.order_numbers import ORDER_LOOKS
from hydra.trading.risk_checks import NOT_ASKED, all_results
from hydra.trading.sane_numbers import numbers_are_sane
from hydra.trading.situation import Situation


class Verdict(Enum):
    """What came of a check."""

    PASSED = "passed"
    REFUSED = "refused"
    NOT_ASKED = "not asked"
    """It has nothing to say to such an order, or its numbers are no numbers."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what it looked at, and what it said. `reason` is "" unless it refused."""

    check: str
    verdict: Verdict
    numbers: tuple[Number, ...]
    reason: str


class BudgetEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What an order takes from one budget, in USD; None: it is not known, or was not granted."""

    whose: str
    left_before: Decimal | None
    at_stake: Decimal | None
    left_after: Decimal | None


def explained(situation: Situation) -> tuple[Looked, ...]:
    """Every check, in the order of asking."""
    is_sane = numbers_are_sane(situation) is None
    return tuple(
        _looked(result.check, result.reason, situation, is_sane=is_sane)
        for result in all_results(situation)
    )


def budget_effects(situation: Situation) -> tuple[BudgetEffect, ...]:
    """The budgets before it and after it, if it passed: of the bot, of its bucket, of the day."""
    if numbers_are_sane(situation) is not None:
        return ()
    budget, at_stake = situation.budget, situation.book.loss_at_stop
    return tuple(
        BudgetEffect(
            whose=whose,
            left_before=left,
            at_stake=at_stake,
            left_after=None if left is None or at_stake is None else subtract(left, at_stake),
        )
        for whose, left in (
            ("bot", budget.bot_left),
            ("bucket", budget.bucket_left),
            ("day", budget.day_left),
        )
    )


def _looked(name: str, reason: str, s: Situation, *, is_sane: bool) -> Looked:
    if reason == NOT_ASKED:
        return Looked(check=name, verdict=Verdict.NOT_ASKED, numbers=(), reason=reason)
    look = _LOOKS_BY_NAME[name]
    numbers = look(s) if is_sane or name == trading_is_open.__name__ else ()
    verdict = Verdict.NOT_ASKED if numbers is None else Verdict.PASSED
    if reason:
        verdict = Verdict.REFUSED
    return Looked(check=name, verdict=verdict, numbers=numbers or (), reason=reason)


LOOKS = {**ORDER_LOOKS, **MONEY_LOOKS}
"""What each check looks at."""

_LOOKS_BY_NAME = {check.__name__: look for check, look in LOOKS.items()}
