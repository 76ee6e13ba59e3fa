"""The checks that every order must pass: pure questions about one situation, in their order.

A check is named for what must be true and answers None, or the reason why it is not. The good case
comes first and everything else is "no", so that a value nobody thought of is refused. The order is
that of the guards (kill switch; value and position; exposure; losses; rejections; stale data;
rates; budget; kill switch again), behind what makes an order no order at all. A new check is one
function in the module that it belongs to, and one line here.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from hydra.trading.corporate_actions import no_corporate_action_is_near
from hydra.trading.coverage_watch import positions_are_protected
from hydra.trading.loops import loop_has_passed
from hydra.trading.money_checks import (
    bot_budget_covers_loss,
    bot_exposure_is_within_limit,
    bucket_budget_covers_loss,
    cash_reserve_is_kept,
    daily_loss_is_within_limit,
    day_budget_covers_loss,
    drawdown_is_within_limit,
    equity_is_known,
    gross_exposure_is_within_limit,
    heat_is_within_limit,
    order_quantity_is_within_limit,
    order_value_is_within_limit,
    symbol_exposure_is_within_limit,
)
from hydra.trading.order_checks import (
    decision_is_fresh,
    entry_does_not_oppose_position,
    exit_reduces_position,
    no_order_opposes,
    no_outcome_is_unknown,
    price_is_fresh,
    price_is_known,
    prices_are_on_step,
    prices_are_within_collar,
    prices_fit_order_type,
    protective_stop_is_behind_price,
    session_is_open,
    symbol_is_allowed,
    trading_is_open,
    window_is_open,
)
from hydra.trading.orders import Denial
from hydra.trading.rate_checks import (
    entries_today_are_within_limit,
    entry_gap_is_kept,
    entry_rate_is_within_limit,
    exit_rate_is_within_limit,
    notional_today_is_within_limit,
    order_is_not_repeated,
    rejections_are_within_limit,
    round_trips_are_within_limit,
    symbol_entry_rate_is_within_limit,
    window_notional_is_within_limit,
)
from hydra.trading.sane_numbers import numbers_are_sane
from hydra.trading.situation import Situation

Check: TypeAlias = Callable[[Situation], str | None]

CHECKS: tuple[Check, ...] = (
    trading_is_open,
    numbers_are_sane,
    loop_has_passed,
    positions_are_protected,
    # Is it an order at all, here and now?
    symbol_is_allowed,
    decision_is_fresh,
    session_is_open,
    window_is_open,
    no_corporate_action_is_near,
    prices_fit_order_type,
    exit_reduces_position,
    entry_does_not_oppose_position,
    no_order_opposes,
    no_outcome_is_unknown,
    # What it puts at stake.
    price_is_known,
    order_quantity_is_within_limit,
    order_value_is_within_limit,
    protective_stop_is_behind_price,
    symbol_exposure_is_within_limit,
    bot_exposure_is_within_limit,
    equity_is_known,
    gross_exposure_is_within_limit,
    cash_reserve_is_kept,
    heat_is_within_limit,
    # What has been lost and refused.
    daily_loss_is_within_limit,
    drawdown_is_within_limit,
    rejections_are_within_limit,
    # The market it would meet.
    price_is_fresh,
    prices_are_on_step,
    prices_are_within_collar,
    # How much there was of it lately.
    order_is_not_repeated,
    entry_gap_is_kept,
    symbol_entry_rate_is_within_limit,
    entry_rate_is_within_limit,
    exit_rate_is_within_limit,
    window_notional_is_within_limit,
    entries_today_are_within_limit,
    notional_today_is_within_limit,
    round_trips_are_within_limit,
    # Whether somebody will pay for it.
    bot_budget_covers_loss,
    bucket_budget_covers_loss,
    day_budget_covers_loss,
    # The promise is "first and last". On one frozen situation both answer the same; the last keeps
    # the promise when a check between them comes to read something that changes.
    trading_is_open,
)

BROUGHT = "plugin."
"""How the name of a check begins that another distribution brought."""

NOT_ASKED = "not asked: the numbers are not sane"


class CheckResult(msgspec.Struct, frozen=True):
    """What one check said. `reason` is "" if it passed."""

    check: str
    reason: str


def first_denial(situation: Situation, brought: tuple[Check, ...] = ()) -> Denial | None:
    """Ask every check in turn. No denial is the only way to an approval.

    `brought` are plug-ins' checks, their names begin with `BROUGHT`. They are asked behind our own,
    before the last look at the kill switch, and about what may add exposure only: that a position
    is closed is not theirs to refuse.
    """
    is_asked = brought and not situation.proposal.reduces
    for check in (*CHECKS[:-1], *brought, CHECKS[-1]) if is_asked else CHECKS:
        reason = check(situation)
        if reason is not None:
            return Denial(check.__name__, reason)
    return None


def all_results(situation: Situation) -> tuple[CheckResult, ...]:
    """What every check says of it, for whoever asks why.

    What compares numbers is not asked about numbers that are not sane, and has not passed either.
    """
    is_sane = numbers_are_sane(situation) is None
    return tuple(
        CheckResult(
            check.__name__,
            (check(situation) or "") if is_sane or check in _SAFE_TO_ASK else NOT_ASKED,
        )
        for check in CHECKS
    )


_SAFE_TO_ASK = (trading_is_open, numbers_are_sane)
