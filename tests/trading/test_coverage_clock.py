"""For how long something is not covered, or too much is."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.coverage import ExitCoverage, exit_coverage
from hydra.trading.coverage_clock import CoverageClock
from hydra.trading.durations import SECOND
from hydra.trading.orders import OrderType, Side
from tests.trading.coverage_parts import (
    NOW,
    SESSIONS,
    TERMS,
    account,
    guard,
    instant,
    of_bots,
    order,
)

D = Decimal
ONE = ("one", "AAPL")
NIGHT = instant("2024-07-02 20:00")


def covered(is_covered: bool, *, is_seen: bool = True) -> ExitCoverage:
    reading = account({"AAPL": "3"}) if is_seen else None
    guards = [guard("3")] if is_covered else []
    return exit_coverage(reading, guards, of_bots({"one": "3"}, {}), TERMS, NOW)


def too_much(is_so: bool) -> ExitCoverage:
    orders = [order(Side.SELL, "3", "a", OrderType.LIMIT)]
    if is_so:
        orders.append(order(Side.SELL, "2", "b", OrderType.LIMIT))
    mine = of_bots({"one": "3"}, {"a": "one", "b": "one"})
    return exit_coverage(account({"AAPL": "3"}, *orders), [guard("3")], mine, TERMS, NOW)


@given(st.lists(st.booleans(), max_size=12))
def test_it_counts_from_the_first_time_in_a_row_i30(seen: list[bool]) -> None:
    clock, since = CoverageClock(), None
    for second, is_covered in enumerate(seen):
        now = second * SECOND
        found = clock.uncovered(covered(is_covered), now)
        since = None if is_covered else now if since is None else since
        assert found == ({} if since is None else {ONE: now - since})


def test_what_is_not_seen_goes_on_as_it_was_i30() -> None:
    clock = CoverageClock()
    clock.uncovered(covered(False), 0)

    assert clock.uncovered(covered(True, is_seen=False), 5) == {ONE: 5}
    assert clock.uncovered(covered(True), 6) == {}


def test_a_repairs_time_begins_with_the_opening_of_the_market() -> None:
    clock = CoverageClock()
    clock.uncovered(covered(False), 0)

    assert clock.unrepaired(SESSIONS, NIGHT, 7) == {}
    assert clock.unrepaired(SESSIONS, NOW, 9) == {ONE: 0}
    assert clock.unrepaired(SESSIONS, NOW, 12) == {ONE: 3}


def test_what_is_too_much_is_named_once_it_has_lasted() -> None:
    clock = CoverageClock()
    first = list(clock.lasting(too_much(True), 0, 10))
    lasting = list(clock.lasting(too_much(True), 10, 10))
    gone = list(clock.lasting(too_much(False), 11, 10))
    again = list(clock.lasting(too_much(True), 21, 10))

    assert (first, gone, again) == ([], [], [])
    assert [(each.bot, each.quantity, each.side) for each in lasting] == [("one", D(2), Side.SELL)]
