"""Coverage at the cost of what has changed: what has not is the same object as before."""

from decimal import Decimal

import pytest
from msgspec import structs

from hydra.trading.causes import OPERATOR_HALT
from hydra.trading.coverage import ExitCoverage
from hydra.trading.covered_account import CoveredAccount
from hydra.trading.durations import SECOND
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.order_life import Accepted, OrderState, OrderStatus
from hydra.trading.orders import Fill, Role, Side
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.venue_view import VenueSnapshot
from tests.trading.coverage_parts import NOW, TERMS, account, decision, guard, order

D = Decimal
HELD = {"AAPL": "10", "MSFT": "4"}
FILL = Fill(
    execution_id="x",
    client_order_id="entry",
    symbol="AAPL",
    side=Side.BUY,
    quantity=D(2),
    price=D(100),
    at=NOW,
)


def inventory(symbol: str, quantity: str) -> BotInventory:
    lot = Lot(
        side=Side.BUY, quantity=D(quantity), price=D(100), opened_at=NOW, execution_id="recorded"
    )
    return BotInventory("one", FifoInventory(symbol, (lot,)))


def covered() -> CoveredAccount:
    """Bot "one" holds two shares, and guards both."""
    made = CoveredAccount(TERMS, {})
    made.recover([], [inventory(symbol, quantity) for symbol, quantity in HELD.items()], {})
    made.read(account(HELD))
    for symbol, quantity in HELD.items():
        made.looked(guard(quantity, symbol=symbol))
    return made


def matched_anew(before: ExitCoverage, after: ExitCoverage) -> list[str]:
    """The symbols whose lines are other objects than before."""
    kept = {id(line) for line in before.lines}
    return [line.symbol for line in after.lines if id(line) not in kept]


def test_where_nothing_is_told_what_was_found_is_found_again_i30() -> None:
    made = covered()
    before = made.coverage(NOW)

    assert before.is_whole
    assert made.coverage(NOW + 9 * SECOND) is before


def test_a_guard_that_looks_again_keeps_what_was_found_for_as_long_as_it_goes_on_i45() -> None:
    made = covered()
    before = made.coverage(NOW)
    at = NOW
    for _ in range(7):
        at += 9 * SECOND
        for symbol, quantity in HELD.items():
            assert not made.looked(guard(quantity, symbol=symbol, looked_at=at, price_at=at))
        assert made.coverage(at) is before

    silent = made.coverage(at + 10 * SECOND + 1)
    assert matched_anew(before, silent) == ["AAPL", "MSFT"]
    assert not silent.is_whole


def test_what_is_told_of_one_symbol_has_that_one_matched_i30() -> None:
    made = covered()
    before = made.coverage(NOW)
    made.looked(guard("3", symbol="MSFT"))
    after = made.coverage(NOW)

    assert matched_anew(before, after) == ["MSFT"]
    assert [line.uncovered for line in after.lines] == [D(0), D(1)]


def test_a_fill_has_its_symbol_matched_and_is_known_to_be_held_i23_i30() -> None:
    made = covered()
    before = made.coverage(NOW)
    made.learned(decision("one", Role.ENTRY), "entry", FILL, None, NOW)
    after = made.coverage(NOW)

    assert matched_anew(before, after) == ["AAPL"]
    assert [line.position for line in after.lines] == [D(12), D(4)]
    assert made.positions == {("one", "AAPL"): D(12), ("one", "MSFT"): D(4)}


def test_what_is_held_of_a_symbol_is_what_is_held_until_the_record_says_otherwise() -> None:
    made = covered()
    sold = structs.replace(FILL, execution_id="y", side=Side.SELL, quantity=D(10))
    made.learned(decision("one", Role.EXIT), "exit", sold, None, NOW)
    flat = dict(made.held_in("AAPL"))
    made.learned(decision("one", Role.ENTRY), "entry", FILL, None, NOW)
    again = dict(made.held_in("AAPL"))
    made.recover([], [inventory("MSFT", "3")], {})

    assert (flat, again) == ({}, {("one", "AAPL"): D(2)})
    assert (made.held_in("AAPL"), made.held_in("MSFT")) == ({}, {("one", "MSFT"): D(3)})
    assert made.held == made.held_in("MSFT")


def test_an_order_that_is_not_at_the_venue_yet_keeps_what_was_found() -> None:
    made = covered()
    before = made.coverage(NOW)
    exits = decision("one", Role.EXIT)
    made.approved(exits, order(Side.SELL, "10", "exit").order, NOW)
    approved = made.coverage(NOW)
    made.learned(exits, "exit", Accepted("venue-exit"), None, NOW)

    assert approved is before
    assert matched_anew(before, made.coverage(NOW)) == ["AAPL"]


def test_what_is_watched_from_here_no_more_is_covered_by_it_no_more() -> None:
    made = covered()
    made.forget_guards("one")
    made.watch([guard("10")])
    watched = made.coverage(NOW)
    made.watch([])

    uncovered = [[line.uncovered for line in each.lines] for each in (watched, made.coverage(NOW))]
    assert uncovered == [[D(0), D(4)], [D(10), D(4)]]


def test_a_reading_that_shows_one_symbol_otherwise_has_that_one_matched_i29() -> None:
    made = covered()
    before = made.coverage(NOW)
    made.read(account(HELD, at=NOW + SECOND))
    assert made.coverage(NOW + SECOND) is before
    made.read(account({"AAPL": "10", "MSFT": "5"}, at=NOW + SECOND))
    after = made.coverage(NOW + SECOND)

    assert matched_anew(before, after) == ["MSFT", "MSFT"]
    assert not after.is_whole


def test_an_order_that_a_later_reading_does_not_show_is_lost_though_it_shows_all_else_i29() -> None:
    made = covered()
    made.looked(guard("0", symbol="MSFT"))
    stop = order(Side.SELL, "4", "ours", symbol="MSFT").order
    protects = decision("one", Role.PROTECT)
    made.approved(protects, stop, NOW)
    made.learned(protects, "ours", Accepted("venue-ours"), None, NOW)
    placed = made.coverage(NOW)
    made.read(account(HELD, at=NOW + SECOND))

    assert (placed.is_whole, made.coverage(NOW + SECOND).is_whole) == (True, False)


def test_an_execution_counts_until_a_reading_has_it_though_that_shows_all_else_as_before_i23() -> (
    None
):
    made = covered()
    made.learned(decision("one", Role.ENTRY), "entry", FILL, None, NOW)
    made.read(account(HELD))
    rolled_on = made.coverage(NOW)
    made.read(structs.replace(account(HELD), fills=(FILL,)))
    shown = made.coverage(NOW)

    assert [line.position for line in rolled_on.lines] == [D(12), D(4)]
    assert [line.position for line in shown.lines] == [D(12), D(-2), D(4)], "it is missing then"


def test_a_halt_concerns_all_symbols_i11() -> None:
    made = covered()
    before = made.coverage(NOW)
    made.causes = (OPERATOR_HALT.cause(since=NOW, detail="looks wrong"),)
    halted = made.coverage(NOW)

    assert matched_anew(before, halted) == ["AAPL", "MSFT"]
    assert all(line.is_held_back for line in halted.lines)


def test_before_the_first_reading_nothing_is_known_i30() -> None:
    made = CoveredAccount(TERMS, {})

    assert made.coverage(NOW) is made.unseen
    assert not made.unseen.is_known


def test_what_is_held_in_one_symbol_and_no_number_makes_the_account_unknown_until_it_is_i34() -> (
    None
):
    made = covered()
    before = made.coverage(NOW)
    made.read(account({"AAPL": "10", "MSFT": "NaN"}))
    unknown = made.coverage(NOW)
    made.read(account(HELD))

    assert not unknown.is_known
    assert [line.symbol for line in unknown.lines] == ["AAPL"]
    assert made.coverage(NOW) == before


def reading_with(*orders: tuple[str, str]) -> VenueSnapshot:
    """Stops of these names in these symbols."""
    listed = [order(Side.SELL, "4", name, symbol=symbol) for name, symbol in orders]
    return account(HELD, *listed)


@pytest.mark.parametrize(
    ("orders", "uncovered"),
    [
        ((("a", "AAPL"), ("b", "MSFT")), [D(0), D(0)]),
        # Ours by its name, and over by our record: so neither of the two is there, wherever.
        ((("ours", "AAPL"), ("ours", "MSFT")), [D(0), D(0)]),
    ],
    ids=["two names", "one name"],
)
def test_orders_in_two_symbols_under_one_name_are_matched_as_they_are_of_the_whole_i29(
    orders: tuple[tuple[str, str], ...], uncovered: list[Decimal]
) -> None:
    made = covered()
    over = order(Side.SELL, "4", "ours", symbol="AAPL").order
    state = OrderState(order=over, status=OrderStatus.CANCELED)
    made.recover(
        [(decision("one", Role.PROTECT), state)],
        [inventory(symbol, quantity) for symbol, quantity in HELD.items()],
        {},
    )
    made.read(reading_with(*orders))
    found = made.coverage(NOW)

    assert [line.uncovered for line in found.lines] == uncovered
    strangers = [each.bot for each in found.mismatches]
    assert strangers == (["unattributed"] * 2 if orders[0][0] == "a" else [])
