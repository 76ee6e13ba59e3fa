import math
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from hydra.trading.exposure import Holding
from hydra.trading.inventory import BadFill, ClosedLot, FifoInventory
from hydra.trading.order_life import (
    Absent,
    Accepted,
    Canceled,
    Expired,
    ImpossibleReport,
    OrderEvent,
    OrderState,
    Rejected,
    Replaced,
    Unknown,
    Withheld,
)
from hydra.trading.orders import OrderType, Role, Side, TimeInForce
from hydra.trading.risk_book import RiskBook
from hydra.trading.situation import BookView, Proposal
from hydra.trading.working_orders import WorkingOrder
from tests.trading.risk_orders import approved, decision, fill, limit, proposal

D = Decimal

BUY_10 = proposal(Side.BUY, "10", protective_stop=D(96))
SELL_10 = proposal(Side.SELL, "10", role=Role.EXIT)
BUY_1 = proposal(Side.BUY, "1", protective_stop=D(96))


def book(**marks: int) -> RiskBook:
    """Stops are taken to be executed one and a half times as far away as they are."""
    made = RiskBook(D("1.5"))
    for symbol, price in (marks or {"AAPL": 100, "MSFT": 100}).items():
        made.mark(symbol, D(price), 0)
    return made


def work(made: RiskBook, name: str, wanted: Proposal, *events: OrderEvent) -> None:
    assert made.reserve(approved(name, wanted))
    tell(made, name, *events)


def tell(made: RiskBook, name: str, *events: OrderEvent) -> tuple[ClosedLot, ...]:
    order = made.order(name)
    assert order is not None
    return tuple(lot for event in events for lot in made.learned(order.decision, name, event))


def hold(made: RiskBook, name: str, wanted: Proposal, price: int = 100) -> None:
    work(made, name, wanted, fill(approved(name, wanted).order, wanted.quantity, price))


def exposures(view: BookView) -> tuple[Decimal | None, ...]:
    return view.symbol_exposure_after, view.bot_exposure_after, view.gross_exposure_after


def test_an_empty_book_sees_the_proposal_alone() -> None:
    assert book().view(BUY_10) == BookView(
        bot_position=D(0),
        account_position=D(0),
        bot_reducing_live=D(0),
        account_reducing_live=D(0),
        symbol_exposure_after=D(1000),
        bot_exposure_after=D(1000),
        gross_exposure_after=D(1000),
        buying_after=D(1000),
        heat_after=D(60),
        loss_at_stop=D(60),
        opposing=(),
        unknown=(),
    )


def test_everything_of_every_bot_and_symbol_is_in_the_view_i31() -> None:
    made = book(AAPL=100, MSFT=50)
    hold(made, "a", BUY_10)
    hold(made, "b", structs.replace(BUY_10, bot="two", quantity=D(2)))
    hold(made, "c", structs.replace(BUY_10, symbol="MSFT", protective_stop=D(48)), 50)
    work(made, "d", limit(Side.SELL, "4", "101", role=Role.EXIT))
    work(made, "e", limit(Side.BUY, "1", "98", bot="two"), Unknown("timed out"))

    view = made.view(limit(Side.BUY, "1", "101", protective_stop=D(97)))

    assert view == BookView(
        bot_position=D(10),
        account_position=D(12),
        bot_reducing_live=D(4),
        account_reducing_live=D(4),
        symbol_exposure_after=D(1200 + 100 + 101),
        bot_exposure_after=D(1000 + 101 + 500),
        gross_exposure_after=D(1401 + 500),
        # The one that works, and this one: each at the highest price known.
        buying_after=D(100 + 101),
        # Four dollars to the stop, and half as far again; all of what has no stop.
        heat_after=D(60 + 12 + 30 + 100 + 6),
        loss_at_stop=D(6),
        opposing=("d",),
        unknown=("e",),
    )


def test_what_is_filled_passes_from_the_order_to_the_position_i33() -> None:
    made = book()
    work(made, "a", BUY_10)
    before = made.view(BUY_1)

    tell(made, "a", fill(approved("a", BUY_10).order, 4, 100))

    after = made.view(BUY_1)
    assert after == structs.replace(
        before,
        bot_position=D(4),
        account_position=D(4),
        buying_after=D(700),  # four are paid
    )
    assert made.positions == {("one", "AAPL"): D(4)}


@pytest.mark.parametrize(
    "event",
    [
        Withheld("gate shut"),
        Rejected("not shortable"),
        Canceled(),
        Expired(),
        Replaced("b"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_is_reserved_is_released_once_by_the_outcome_i33(event: OrderEvent) -> None:
    made = book()
    work(made, "a", BUY_10)
    assert (made.heat, made.gross_exposure, made.at_risk()) == (D(60), D(1000), {"one": D(60)})

    tell(made, "a", event, event)

    assert (made.heat, made.gross_exposure) == (D(0), D(0))
    assert not any(made.at_risk().values())
    assert made.view(BUY_10) == book().view(BUY_10)


@pytest.mark.parametrize("event", [Accepted("v-1"), Unknown("timed out")])
def test_nothing_is_released_while_nothing_is_proven_i19_i25(event: OrderEvent) -> None:
    made = book()
    work(made, "a", BUY_10)

    tell(made, "a", event, event)

    assert (made.heat, made.gross_exposure) == (D(60), D(1000))


def test_an_unknown_order_is_named_and_one_that_is_proven_to_live_is_not_i19() -> None:
    made = book()
    work(made, "a", BUY_10, Unknown("timed out"))
    work(made, "b", BUY_10, Unknown("timed out"), Accepted("v-1"))
    work(made, "c", BUY_10, Accepted("v-2"), Unknown("timed out"))

    assert made.view(BUY_1).unknown == ("a",)
    assert made.view(structs.replace(BUY_1, symbol="MSFT")).unknown == ()


def test_an_absent_order_that_lives_after_all_is_reserved_again_i19() -> None:
    made = book()
    work(made, "a", BUY_10, Unknown("timed out"), Absent("never found"))

    tell(made, "a", fill(approved("a", BUY_10).order, 4, 100))

    assert (made.heat, made.gross_exposure) == (D(60), D(1000))


def test_a_fill_after_the_end_still_counts_and_keeps_its_stop_i25() -> None:
    made = book()
    work(made, "a", BUY_10, Canceled())

    tell(made, "a", fill(approved("a", BUY_10).order, 4, 100))

    assert made.positions == {("one", "AAPL"): D(4)}
    assert (made.heat, made.open_orders) == (D(24), ())


def test_a_fill_of_an_order_that_the_book_does_not_know_moves_its_bot_i25() -> None:
    made = book()
    late = fill(approved("a", BUY_10).order, 4, 100)

    assert made.learned(decision(BUY_10), "a", late) == ()
    assert made.learned(decision(BUY_10), "a", Canceled()) == ()

    assert made.positions == {("one", "AAPL"): D(4)}
    assert (made.heat, made.order("a")) == (D(400), None)


def test_an_execution_that_is_told_again_counts_once_i23() -> None:
    made = book()
    work(made, "a", BUY_10)
    executed = fill(approved("a", BUY_10).order, 4, 100)
    made.learned(decision(BUY_10), "a", executed)

    assert made.learned(decision(BUY_10), "a", executed, is_repeat=True) == ()

    assert made.positions == {("one", "AAPL"): D(4)}


def test_a_fill_gives_the_lots_that_it_closed() -> None:
    made = book()
    hold(made, "a", BUY_10)
    work(made, "b", SELL_10)

    closed = tell(made, "b", fill(approved("b", SELL_10).order, 4, 103))

    assert [(lot.quantity, lot.realised) for lot in closed] == [(D(4), D(12))]


def test_a_decision_that_comes_again_is_reserved_once_i16_i33() -> None:
    made = book()
    work(made, "a", BUY_10, fill(approved("a", BUY_10).order, 4, 100))

    assert not made.reserve(approved("a", BUY_10))
    tell(made, "a", Canceled())
    assert not made.reserve(approved("a", BUY_10))

    assert (made.gross_exposure, made.open_orders) == (D(400), ())


def test_what_cannot_be_is_refused_and_changes_nothing_i22() -> None:
    made = book()
    work(made, "a", BUY_10, Rejected("not shortable"))
    work(made, "b", BUY_10)
    before = (made.view(BUY_1), made.open_orders, made.positions)

    with pytest.raises(ImpossibleReport):
        tell(made, "a", fill(approved("a", BUY_10).order, 4, 100))
    with pytest.raises(ImpossibleReport):
        tell(made, "b", fill(approved("b", BUY_10).order, 11, 100))
    with pytest.raises(BadFill):
        made.learned(decision(BUY_10), "c", fill(approved("c", BUY_10).order, -1, 100))

    assert (made.view(BUY_1), made.open_orders, made.positions) == before


def test_what_bots_hold_against_each_other_is_offset_in_the_account_only_i31() -> None:
    made = book()
    hold(made, "a", BUY_10)
    hold(made, "b", proposal(Side.SELL, "10", bot="two", protective_stop=D(104)))

    view = made.view(BUY_1)

    assert (view.bot_position, view.account_position) == (D(10), D(0))
    assert exposures(view) == (D(100), D(1100), D(100))
    assert made.at_risk() == {"one": D(60), "two": D(60)}


def test_an_exit_that_would_leave_the_account_short_is_exposure_i31() -> None:
    made = book()
    hold(made, "a", BUY_10)
    hold(made, "b", proposal(Side.SELL, "10", bot="two"))

    assert exposures(made.view(SELL_10)) == (D(1000), D(1000), D(1000))


def test_an_exit_adds_no_risk_and_needs_no_budget() -> None:
    made = book()
    hold(made, "a", BUY_10)
    hold(made, "b", structs.replace(BUY_10, symbol="MSFT"))

    view = made.view(SELL_10)
    flatten = made.view(structs.replace(SELL_10, role=Role.FLATTEN))

    assert (exposures(view), view.heat_after, view.loss_at_stop) == (
        (D(1000), D(2000), D(2000)),
        D(120),
        D(0),
    )
    assert flatten == view


def test_orders_of_both_sides_count_on_the_side_that_closes_i09() -> None:
    made = book()
    hold(made, "a", proposal(Side.SELL, "10"))
    hold(made, "b", proposal(Side.BUY, "30", bot="two"))
    work(made, "c", proposal(Side.BUY, "3", role=Role.EXIT), Unknown("timed out"))
    work(made, "d", proposal(Side.SELL, "5", bot="two", role=Role.EXIT))
    work(made, "e", proposal(Side.SELL, "7"))
    work(made, "f", proposal(Side.BUY, "2", bot="two"))

    view = made.view(BUY_1)

    assert (view.bot_position, view.account_position) == (D(-10), D(20))
    assert (view.bot_reducing_live, view.account_reducing_live) == (D(3), D(12))


def test_a_replacement_counts_beside_what_it_replaces_i26() -> None:
    made = book()
    work(made, "a", BUY_10)
    second = limit(Side.BUY, "4", "102", protective_stop=D(98), replaces="a")

    view = made.view(second)
    work(made, "b", second)

    assert exposures(view) == (D(1408), D(1408), D(1408))
    assert (view.loss_at_stop, view.heat_after) == (D(24), D(84))
    assert (made.gross_exposure, made.heat) == (D(1408), D(84))


def test_the_limits_hold_when_the_old_order_is_filled_beside_its_replacement_i26() -> None:
    made = book()
    work(made, "a", BUY_10)
    second = structs.replace(BUY_10, replaces="a")
    promised = made.view(second).gross_exposure_after
    work(made, "b", second, Accepted("v-1"))

    tell(made, "a", fill(approved("a", BUY_10).order, 10, 100))
    tell(made, "b", fill(approved("b", second).order, 10, 100))

    assert made.positions == {("one", "AAPL"): D(20)}
    assert made.gross_exposure == promised == D(2000)


def test_what_an_exit_replaces_is_still_closing_i09_i26() -> None:
    made = book()
    hold(made, "h", BUY_10)
    work(made, "a", limit(Side.SELL, "6", "105", role=Role.EXIT))

    view = made.view(limit(Side.SELL, "7", "104", role=Role.EXIT, replaces="a"))

    assert (view.bot_reducing_live, view.account_reducing_live) == (D(6), D(6))


def test_without_a_mark_what_is_held_cannot_be_valued_i35() -> None:
    made = book(AAPL=100)
    hold(made, "a", BUY_10)
    hold(made, "b", structs.replace(BUY_10, bot="two", symbol="MSFT"))

    view = made.view(BUY_1)

    assert exposures(view) == (D(1100), D(1100), None)
    assert (view.heat_after, view.loss_at_stop) == (None, D(6))
    assert made.at_risk() == {"one": D(60), "two": None}
    assert (made.market_value, made.gross_exposure, made.heat) == (None, None, None)


def test_a_first_entry_is_valued_at_its_reference_before_there_is_a_mark_i35() -> None:
    view = RiskBook(D("1.5")).view(BUY_10)

    assert (exposures(view), view.heat_after) == ((D(1000), D(1000), D(1000)), D(60))


def test_an_order_without_any_price_makes_everything_unknown_i35() -> None:
    blind = structs.replace(BUY_10, reference_price=None)
    made = RiskBook(D("1.5"))
    view = made.view(blind)
    work(made, "a", blind)

    assert (exposures(view), view.heat_after, view.loss_at_stop) == ((None, None, None), None, None)
    assert (made.gross_exposure, made.heat, made.at_risk()) == (None, None, {"one": None})
    assert made.view(BUY_1).heat_after is None
    assert made.view(structs.replace(SELL_10, reference_price=None)).loss_at_stop == D(0)


def test_a_stop_order_counts_at_the_price_that_sets_it_off_i31() -> None:
    made = book()

    work(made, "a", proposal(Side.BUY, "10", order_type=OrderType.STOP, stop_price=D(108)))

    assert (made.gross_exposure, made.heat) == (D(1080), D(1080))


@pytest.mark.parametrize(
    "bad", [D("NaN"), D("Infinity"), D(0), D(-1), D("1E+999999"), math.nan, -100.0, True]
)
def test_a_price_that_is_none_makes_the_mark_unknown_i34_i46(bad: Any) -> None:
    made = book(AAPL=100)
    hold(made, "a", BUY_10)

    made.mark("AAPL", bad, 1)

    assert (made.gross_exposure, made.heat, made.market_value) == (None, None, None)


@pytest.mark.parametrize("bad", [D("NaN"), D("sNaN"), D(-1), D("1E+999999"), 1.5, True, None])
@pytest.mark.parametrize(
    "field", ["quantity", "limit_price", "stop_price", "reference_price", "protective_stop"]
)
def test_a_proposal_with_a_number_of_no_order_can_be_asked_about_i34(field: str, bad: Any) -> None:
    made = book()
    hold(made, "h", BUY_10)
    work(made, "a", limit(Side.SELL, "1", "101", role=Role.EXIT))
    wanted = limit(Side.BUY, "1", "99", stop_price=D(99), protective_stop=D(96))

    view = made.view(structs.replace(wanted, **{field: bad}))

    assert (view.bot_position, view.bot_reducing_live) == (D(10), D(1))
    if bad is not None:
        assert (exposures(view), view.heat_after, view.loss_at_stop) == ((None,) * 3, None, None)


def test_the_newest_mark_counts() -> None:
    made = book(AAPL=100)
    hold(made, "a", BUY_10)
    assert (made.market_value, made.gross_exposure) == (D(1000), D(1000))

    made.mark("AAPL", D(110), 2)
    made.mark("AAPL", D(90), 1)
    assert (made.market_value, made.gross_exposure) == (D(1100), D(1100))

    made.mark("AAPL", D(120), 2)
    assert (made.market_value, made.gross_exposure) == (D(1200), D(1200))


def test_what_is_short_is_to_be_bought_back_at_its_mark_beyond_the_buys_that_work_i31() -> None:
    made = book(AAPL=110, MSFT=50)
    short = proposal(Side.SELL, "10", protective_stop=D(104))
    hold(made, "a", short)
    hold(made, "b", structs.replace(short, bot="two", symbol="MSFT", quantity=D(3)), 50)
    both = made.view(BUY_1).shorts_after
    # Bots offset each other, as they do at the venue; a stop that rests is among the buys.
    hold(made, "c", structs.replace(BUY_10, bot="two", quantity=D(2)))
    work(made, "d", limit(Side.BUY, "3", "115", role=Role.EXIT))
    less = made.view(structs.replace(BUY_1, symbol="MSFT", reference_price=D(50)))
    made.exclude("AAPL", D(-1))
    excluded = made.view(structs.replace(BUY_1, symbol="MSFT", reference_price=D(50))).shorts_after

    assert both == D(9 * 110 + 3 * 50)
    assert (less.shorts_after, less.buying_after) == (D(5 * 110 + 2 * 50), D(3 * 115 + 50))
    assert excluded == D(6 * 110 + 2 * 50)
    assert made.view(short).shorts_after == D(6 * 110 + 3 * 50), "a sale buys nothing back"


def test_what_is_short_and_has_no_mark_cannot_be_valued_i34() -> None:
    made = book(AAPL=100)
    hold(made, "a", proposal(Side.SELL, "3", symbol="MSFT", protective_stop=D(104)))

    assert made.view(BUY_1).shorts_after is None


def test_positions_are_worth_what_the_marks_say_shorts_less_than_nothing() -> None:
    made = book(AAPL=100, MSFT=50)
    hold(made, "a", BUY_10)
    hold(made, "b", proposal(Side.SELL, "3", bot="two", symbol="MSFT"))

    assert made.market_value == D(850)
    assert book().market_value == D(0)


def test_what_an_operator_excluded_is_exposure_that_nothing_offsets_i29_i31() -> None:
    made = book()
    hold(made, "a", BUY_10)
    made.exclude("AAPL", D(-4))
    made.exclude("MSFT", D(2))

    view = made.view(BUY_1)

    assert (view.bot_position, view.account_position) == (D(10), D(10))
    assert exposures(view) == (D(1500), D(1100), D(1700))
    assert (view.heat_after, made.market_value) == (D(66), D(1000))
    assert (made.gross_exposure, made.at_risk()) == (D(1600), {"one": D(60)})

    made.exclude("MSFT", D(0))
    assert made.gross_exposure == D(1400)


def test_what_was_excluded_and_has_no_mark_cannot_be_valued_i35() -> None:
    made = book(AAPL=100)
    made.exclude("GME", D(4))

    assert exposures(made.view(BUY_1)) == (D(100), D(100), None)


def test_the_book_can_be_asked_what_is_open_and_what_is_held_i10() -> None:
    made = book()
    hold(made, "a", BUY_10)
    work(made, "b", SELL_10)
    work(made, "c", structs.replace(BUY_10, symbol="MSFT"))
    work(made, "d", structs.replace(SELL_10, role=Role.FLATTEN))
    work(made, "e", BUY_1, Unknown("timed out"))

    assert [each.order.client_order_id for each in made.open_orders] == ["b", "d", "e", "c"]
    assert [each.order.client_order_id for each in made.orders_of_symbol("MSFT")] == ["c"]
    assert made.open_entries == ("e", "c")
    assert not made.is_flat

    tell(made, "b", fill(approved("b", SELL_10).order, 10, 100))
    assert (made.positions, made.is_flat) == ({}, True)


def test_bots_that_offset_each_other_are_not_flat() -> None:
    made = book()
    hold(made, "a", BUY_10)
    hold(made, "b", proposal(Side.SELL, "10", bot="two"))

    assert not made.is_flat


def _recovered(
    holdings: dict[tuple[str, str], Holding],
    orders: list[WorkingOrder],
    excluded: dict[str, Decimal],
    given_up: list[WorkingOrder] | None = None,
) -> RiskBook:
    made = book()
    made.recover(holdings, orders, excluded, given_up or [])
    return made


def test_a_book_that_is_recovered_is_the_book_that_was_i38() -> None:
    made = book()
    hold(made, "a", BUY_10)
    work(made, "b", BUY_1, Unknown("timed out"))
    work(made, "c", limit(Side.BUY, "4", "99"))
    work(made, "d", limit(Side.BUY, "6", "99", replaces="c"))
    work(made, "e", BUY_10, Canceled())
    made.exclude("AAPL", D(3))
    holding, _ = Holding(FifoInventory("AAPL")).after(
        fill(approved("a", BUY_10).order, 10, 100), D(96)
    )
    orders = [made.order(name) for name in "abcde"]

    again = _recovered(
        {("one", "AAPL"): holding}, [each for each in orders if each is not None], {"AAPL": D(3)}
    )

    assert again.view(BUY_1) == made.view(BUY_1)
    assert (again.open_orders, again.positions) == (made.open_orders, made.positions)
    assert (again.at_risk(), again.heat) == (made.at_risk(), made.heat)
    assert not again.reserve(approved("e", BUY_10))


def test_what_was_given_up_before_is_recovered_as_a_living_book_has_it_i19_i38() -> None:
    never_found = Unknown("timed out"), Absent("never found")
    made = book()
    work(made, "a", BUY_10, *never_found)  # for the day
    lasting = approved("b", BUY_1)
    order = structs.replace(lasting.order, time_in_force=TimeInForce.GTC)
    made.reserve(structs.replace(lasting, state=OrderState(order=order)))
    for event in never_found:
        tell(made, "b", event)
    before = [each for name in "ab" if (each := made.order(name)) is not None]
    made.forget_ended()  # a new session
    work(made, "c", BUY_10, *never_found)
    of_the_day = made.order("c")
    assert of_the_day is not None

    again = _recovered({}, [of_the_day], {}, before)

    assert again.view(BUY_1) == made.view(BUY_1)
    assert again.heat == made.heat == D(66)
    for either in (made, again):
        tell(either, "a", Accepted("v-1"))  # it lives after all
    assert again.open_entries == made.open_entries == ("a",)
    assert again.heat == made.heat == D(126)


def test_recovery_begins_anew_and_keeps_the_marks_i38() -> None:
    made = book()
    hold(made, "a", BUY_10)
    work(made, "b", BUY_1)
    made.exclude("MSFT", D(3))
    assert made.gross_exposure == D(1400)

    made.recover({}, [], {})

    for symbol in ("AAPL", "MSFT"):
        wanted = structs.replace(BUY_10, symbol=symbol)
        assert made.view(wanted) == book().view(wanted)
    assert (made.gross_exposure, made.is_flat, made.open_orders) == (D(0), True, ())
    assert made.reserve(approved("b", BUY_1))


def test_what_is_held_counts_after_a_recovery_also_without_any_order_i38() -> None:
    holding, _ = Holding(FifoInventory("AAPL")).after(
        fill(approved("a", BUY_10).order, 10, 100), D(96)
    )

    again = _recovered({("one", "AAPL"): holding}, [], {})

    assert (again.gross_exposure, again.at_risk()) == (D(1000), {"one": D(60)})


def test_at_a_new_session_what_is_over_is_forgotten() -> None:
    made = book()
    work(made, "a", BUY_10, Canceled())
    work(made, "b", BUY_1)

    made.forget_ended()

    assert made.order("a") is None
    assert made.order("b") is not None and len(made.open_orders) == 1


@pytest.mark.parametrize("bad", [D("0.99"), D("100.01"), D("NaN"), D(0), D(-2), 1.5, True])
def test_a_gap_factor_brings_no_stop_nearer_i34(bad: Any) -> None:
    with pytest.raises(ValueError, match=r"^found a gap factor of .*, wanted a decimal from 1"):
        RiskBook(bad)


def test_an_execution_of_another_order_is_not_taken_for_this_one_s_i22() -> None:
    made = book()
    work(made, "a", BUY_10)
    strange = structs.replace(fill(approved("a", BUY_10).order, 4, 100), symbol="MSFT")

    with pytest.raises(ImpossibleReport):
        tell(made, "a", strange)

    assert made.is_flat
