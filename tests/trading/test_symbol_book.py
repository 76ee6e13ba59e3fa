"""One bot's book in one symbol: what is on record counts, and each decision is named once."""

from decimal import Decimal

import msgspec
import pytest
from msgspec import structs

from hydra.trading.inventory import FifoInventory
from hydra.trading.orders import (
    DecisionKey,
    Fill,
    Order,
    OrderType,
    RecordedOrder,
    Role,
    Side,
    TimeInForce,
)
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.symbol_book import SymbolBook, Working

D = Decimal
TODAY, YESTERDAY = "2016-04-15", "2016-04-14"


def book_of(symbol: str = "AAPL", step: str = "1") -> SymbolBook:
    book = SymbolBook("mom", symbol, D(step))
    book.begin_session(TODAY)
    return book


def key(signal: int, role: Role = Role.ENTRY, session: str = TODAY) -> DecisionKey:
    return DecisionKey(bot="mom", symbol="AAPL", session=session, signal=signal, role=role)


def fill(number: int, quantity: str, order: str = "one", side: Side = Side.BUY) -> Fill:
    return Fill(
        execution_id=f"x{number}",
        client_order_id=order,
        symbol="AAPL",
        side=side,
        quantity=D(quantity),
        price=D(100),
        at=number,
    )


def recorded(
    decision: DecisionKey,
    *,
    filled: str = "0",
    is_open: bool = False,
    is_withheld: bool = False,
    is_absent: bool = False,
) -> RecordedOrder:
    order = Order(
        client_order_id=f"{decision.role.value}-{decision.signal}",
        symbol=decision.symbol,
        side=Side.BUY if decision.role is Role.ENTRY else Side.SELL,
        quantity=D(10),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
    )
    return RecordedOrder(
        decision=decision,
        order=order,
        is_open=is_open,
        filled_quantity=D(filled),
        is_withheld=is_withheld,
        is_absent=is_absent,
    )


def test_each_decision_is_named_once_and_entries_are_counted() -> None:
    book = book_of()

    keys = [book.next_decision(role) for role in (Role.ENTRY, Role.PROTECT, Role.EXIT, Role.ENTRY)]

    assert keys == [key(1), key(2, Role.PROTECT), key(3, Role.EXIT), key(4)]
    assert (book.signals, book.entries) == (4, 2)


def test_an_order_works_until_all_of_it_is_filled_or_it_is_over() -> None:
    book = book_of()
    first, second = key(1), key(2)
    book.intended(first, D(10))
    book.intended(second, D(5), D(99))
    book.accepted(second, 7)

    book.filled(first, fill(1, "4"), None)
    book.filled(first, fill(1, "4"), None)  # told twice
    left = [each.left for each in book.working.values()]
    book.filled(first, fill(2, "6"), None)
    over = book.ended(second)

    assert left == [6, 5]
    assert over == Working(decision=second, left=D(5), stop_price=D(99), accepted_at=7)
    assert not book.working
    assert book.inventory.position == 10


@pytest.mark.parametrize(
    ("role", "order_type", "time_in_force", "is_leaving"),
    [
        (Role.EXIT, OrderType.MARKET, TimeInForce.DAY, True),
        (Role.EXIT, OrderType.LIMIT, TimeInForce.IOC, True),
        (Role.EXIT, OrderType.LIMIT, TimeInForce.GTC, False),
        (Role.EXIT, OrderType.STOP, TimeInForce.DAY, False),
        (Role.PROTECT, OrderType.STOP, TimeInForce.GTC, False),
    ],
)
def test_what_waits_for_a_price_is_not_on_its_way_out_whoever_sent_it_i30(
    role: Role, order_type: OrderType, time_in_force: TimeInForce, is_leaving: bool
) -> None:
    book = book_of()
    found = recorded(key(1, role), is_open=True)
    order = structs.replace(found.order, order_type=order_type, time_in_force=time_in_force)

    book.recover([structs.replace(found, order=order)], (), (), D(0))

    assert book.is_leaving is is_leaving
    assert [each.decision for each in book.resting] == ([] if is_leaving else [key(1, role)])


def test_what_is_on_record_of_the_session_counts_and_what_was_denied_since_i38() -> None:
    book = book_of()
    for _ in range(3):
        book.next_decision(Role.ENTRY)  # all of them denied

    orders = [recorded(key(9, session=YESTERDAY)), recorded(key(1), filled="4", is_open=True)]
    book.recover(orders, (), (), D(0))
    counted = (book.signals, book.entries)
    book.begin_session("2016-04-18")

    assert counted == (3, 3)
    assert book.working == {key(1): Working(decision=key(1), left=D(6), accepted_at=0)}
    assert (book.signals, book.entries) == (0, 0)


def test_an_earlier_session_never_comes_back_so_that_no_number_is_given_twice_i16() -> None:
    book = book_of()
    book.next_decision(Role.ENTRY)
    book.begin_session("2016-04-18")
    first = book.next_decision(Role.ENTRY)

    began = [book.begin_session(session) for session in (TODAY, "2016-04-18")]
    second = book.next_decision(Role.EXIT)

    assert began == [False, False]
    assert [(each.session, each.signal) for each in (first, second)] == [
        ("2016-04-18", 1),
        ("2016-04-18", 2),
    ]
    assert book.entries == 1


def test_what_is_held_leads_back_to_the_decisions_that_it_comes_from_live_or_on_record() -> None:
    first, second, later = key(1), key(2), key(3)
    on_record = [recorded(first, filled="4"), recorded(second, filled="2")]
    fills = [fill(1, "4", "entry-1"), fill(2, "2", "entry-2"), fill(3, "4", "x", Side.SELL)]
    lots = FifoInventory("AAPL")
    for each in fills:
        lots, _ = lots.apply(each)
    book = book_of()

    book.recover(on_record, fills, [BotInventory("mom", lots)], D(0))
    rebuilt = book.held_by
    book.filled(later, fill(4, "1", "entry-3"), None)

    assert (rebuilt, book.held_by) == (frozenset({second}), frozenset({second, later}))
    assert book_of().held_by == frozenset()


def test_others_that_decide_in_its_name_do_not_move_its_numbers_i16() -> None:
    # The exit bot counts down from -1.
    book = book_of()
    book.recover([recorded(key(-1, Role.EXIT), is_open=True)], (), (), D(0))

    mine = book.next_decision(Role.EXIT)

    assert mine.signal == 1
    assert [book.is_own(each) for each in (mine, key(-1, Role.EXIT), key(2))] == [
        True,
        False,
        False,
    ]
    assert not book.is_own(key(1, session=YESTERDAY))
    assert book.is_leaving


def test_the_record_says_what_is_held_and_a_fill_told_again_changes_nothing_i23() -> None:
    held = FifoInventory("AAPL").apply(fill(1, "4"))[0]
    elsewhere = BotInventory("mom", FifoInventory("TSLA"))
    book = book_of()

    book.recover([], [fill(1, "4")], [elsewhere, BotInventory("mom", held)], D("1.5"))
    book.filled(key(1), fill(1, "4"), None)

    assert (book.inventory, book.realised) == (held, D("1.5"))


@pytest.mark.parametrize(
    ("symbol", "step", "held", "sellable"),
    [("AAPL", "1", "2.5", "2.5"), ("BTC/USD", "0.001", "2.5004", "2.500")],
)
def test_of_coins_whole_steps_can_be_sold(symbol: str, step: str, held: str, sellable: str) -> None:
    book = book_of(symbol, step)

    book.filled(key(1), msgspec.structs.replace(fill(1, held), symbol=symbol), None)

    assert book.sellable == D(sellable)


def test_parts_of_one_entry_are_one_position_and_what_was_assigned_is_one() -> None:
    book = book_of()
    for number, order in ((1, "one"), (2, "one"), (3, "two")):
        book.filled(key(1), fill(number, "1", order), None)
    before = book.positions

    assigned = msgspec.structs.replace(book.inventory.lots[0], execution_id="assigned:7")
    lots = (*book.inventory.lots, assigned)
    book.recover(
        [],
        [fill(1, "1"), fill(2, "1"), fill(3, "1", "two")],
        [BotInventory("mom", FifoInventory("AAPL", lots))],
        D(0),
    )

    assert (before, book.positions) == (2, 3)


def test_when_it_last_bought_is_known_after_a_restart_i38() -> None:
    entry = recorded(key(1))
    bought = fill(1, "4", entry.order.client_order_id)
    live, again = book_of(), book_of()

    live.filled(key(1), bought, None)
    again.recover([entry], [bought], (), D(0))

    assert (live.entered_at, again.entered_at) == (1, 1)
    assert (live.stopped_at, again.stopped_at) == (0, 0)


def test_when_it_was_stopped_out_is_known_after_a_restart_i38() -> None:
    stop = recorded(key(2, Role.PROTECT))
    sale = fill(8, "4", stop.order.client_order_id, Side.SELL)
    live, again = book_of(), book_of()
    live.filled(key(1), fill(1, "4"), None)

    live.filled(stop.decision, sale, None)
    again.recover([recorded(key(1)), stop], [fill(1, "4"), sale], (), D(0))

    assert (live.stopped_at, again.stopped_at) == (8, 8)


@pytest.mark.parametrize("role", [Role.ENTRY, Role.EXIT])
def test_what_is_denied_is_no_trade_of_the_day_and_its_number_is_not_given_again(
    role: Role,
) -> None:
    book = book_of()
    denied = book.next_decision(role)
    book.intended(denied, D(1))
    book.denied(denied)
    book.denied(denied)  # told twice

    assert (book.entries, dict(book.working)) == (0, {})
    assert book.next_decision(Role.ENTRY).signal == 2
    assert book.entries == 1


def test_what_the_gate_held_back_is_no_trade_of_the_day_also_for_one_that_is_recovered_i38() -> (
    None
):
    book, again = book_of(), book_of()
    held_back, exit_ = book.next_decision(Role.ENTRY), book.next_decision(Role.EXIT)
    for decision in (held_back, exit_):
        book.intended(decision, D(1))

    book.withheld(held_back)
    book.withheld(exit_)
    on_record = [recorded(each, is_withheld=True) for each in (held_back, exit_)]
    again.recover(on_record, (), (), D(0))

    assert (book.entries, dict(book.working)) == (again.entries, dict(again.working)) == (0, {})
    assert book.next_decision(Role.ENTRY).signal == again.next_decision(Role.ENTRY).signal == 3


def given_up(*, is_recovered: bool) -> SymbolBook:
    """A stop for ten could not be found."""
    book, stop = book_of(), key(1, Role.PROTECT)
    if is_recovered:
        book.recover([recorded(stop, is_absent=True)], (), (), D(0))
    else:
        book.intended(stop, D(10))
        book.given_up(stop)
        book.given_up(stop)  # told twice
    assert dict(book.working) == {}
    return book


@pytest.mark.parametrize("is_recovered", [False, True])
def test_an_order_that_was_given_up_works_again_once_the_venue_speaks_of_it_i19(
    is_recovered: bool,
) -> None:
    accepted, part, whole, over = (given_up(is_recovered=is_recovered) for _ in range(4))
    stop = key(1, Role.PROTECT)

    accepted.accepted(stop, 5)
    part.filled(stop, fill(7, "4", "protect-1", Side.SELL), None)
    whole.filled(stop, fill(7, "10", "protect-1", Side.SELL), None)
    over.ended(stop)
    over.accepted(stop, 9)

    assert [(each.left, each.rests) for each in accepted.resting] == [(D(10), True)]
    assert [(each.left, each.rests) for each in part.resting] == [(D(6), True)]
    assert (dict(whole.working), dict(over.working)) == ({}, {})


def test_what_is_over_by_the_venues_word_does_not_work_again_for_a_fill_that_comes_late() -> None:
    live, again = book_of(), book_of()
    live.intended(key(1), D(10))
    live.ended(key(1))
    again.recover([recorded(key(1))], (), (), D(0))

    for book in (live, again):
        book.filled(key(1), fill(3, "4"), None)

        assert (book.position, dict(book.working)) == (D(4), {})


def test_what_was_denied_yesterday_gives_no_trade_back_today() -> None:
    book = book_of()
    old = book.next_decision(Role.ENTRY)
    book.intended(old, D(1))
    book.begin_session("2016-04-18")
    book.next_decision(Role.ENTRY)

    book.denied(old)

    assert book.entries == 1
