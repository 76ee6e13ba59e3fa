"""Until when a coverage holds, held against what is found at a later instant."""

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.coverage import Attribution, exit_coverage, matched
from hydra.trading.coverage_times import (
    NEVER,
    all_protect,
    holds_until,
    looks_hold_until,
    oldest_looks_end,
)
from hydra.trading.durations import DAY, HOUR, MINUTE, SECOND
from hydra.trading.orders import Side, TimeInForce
from hydra.trading.protection import Guard
from hydra.trading.venue_clock import SKEW
from hydra.trading.venue_view import VenueOrder
from tests.trading.coverage_parts import NOW, TERMS, account, guard, instant, order
from tests.trading.test_coverage import GUARDS, OPTION, ORDERS, OWNERS, POSITIONS

D = Decimal
SPLIT_TERMS = structs.replace(TERMS, splits={"AAPL": (NOW + HOUR,), "SPY": (NOW + HOUR,)})
CLOSE = instant("2024-07-02 16:00")
TIMES = [NOW, NOW + SECOND, CLOSE - 20 * MINUTE, CLOSE - SECOND, CLOSE, NOW - 2 * HOUR]
WAITING = order(Side.SELL, "5", time_in_force=TimeInForce.GTC, is_queued=True)
OF_THE_DAY = order(Side.SELL, "5")
OF_YESTERDAY = order(Side.SELL, "5", at=instant("2024-07-01 10:00"))


@given(
    POSITIONS,
    ORDERS,
    GUARDS,
    OWNERS,
    st.sampled_from(TIMES),
    st.sampled_from([1, SECOND, 9 * SECOND, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY]),
)
@example({"AAPL": D(5)}, (WAITING,), [], None, CLOSE, 20 * HOUR)
@example({"AAPL": D(5)}, (OF_YESTERDAY,), [], None, NOW, 2 * HOUR)
@example({"AAPL": D(5)}, (OF_THE_DAY,), [], None, NOW, 50 * MINUTE)
@example({"AAPL": D(5)}, (), [guard("5", looked_at=NOW + SKEW + SECOND)], None, NOW, SECOND)
@example({OPTION: D(5)}, (), [guard("5", symbol=OPTION)], None, NOW, 9 * SECOND)
def test_until_then_time_alone_changes_nothing_i30(
    positions: dict[str, Decimal],
    listed: tuple[VenueOrder, ...],
    guards: list[Guard],
    whose: Attribution | None,
    at: int,
    later: int,
) -> None:
    found = matched(account(positions, *listed, at=at), guards, whose, SPLIT_TERMS, at)
    ends = holds_until(found.lines, SPLIT_TERMS, at)
    until = min(ends, looks_hold_until(guards, SPLIT_TERMS, at))
    assert at < until

    for then in {at + later, until - 1}:
        if then < min(until, NEVER - 1):
            shown = account(positions, *listed, at=then)
            assert exit_coverage(shown, guards, whose, SPLIT_TERMS, then) == found.coverage


@given(POSITIONS, ORDERS, GUARDS, OWNERS, st.integers(1, HOUR))
def test_guards_that_all_protect_and_look_again_change_nothing_i45(
    positions: dict[str, Decimal],
    listed: tuple[VenueOrder, ...],
    guards: list[Guard],
    whose: Attribution | None,
    later: int,
) -> None:
    found = matched(account(positions, *listed), guards, whose, TERMS, NOW)
    then = min(NOW + later, holds_until(found.lines, TERMS, NOW) - 1)
    if not all_protect(found.lines):
        return

    again = [
        structs.replace(each, looked_at=then, price_at=then)
        if each.looked_at is not None and each.price_at is not None
        else each
        for each in guards
    ]
    shown = account(positions, *listed, at=then)
    assert exit_coverage(shown, again, whose, TERMS, then) == found.coverage


def test_guards_have_grown_old_the_instant_after_the_first_of_them_may_be_so_old_i45() -> None:
    looked = guard("5", looked_at=NOW, price_at=NOW - SECOND)
    before = guard("5", looked_at=NOW - SECOND, price_at=NOW - 2 * SECOND)

    assert oldest_looks_end([], TERMS) == NEVER
    assert oldest_looks_end([looked], TERMS) == NOW + 10 * SECOND + 1
    assert oldest_looks_end([looked, before], TERMS) == NOW + 9 * SECOND + 1
    assert oldest_looks_end([looked, guard("5", price_at=None)], TERMS) == 0
