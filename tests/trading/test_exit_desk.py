"""The exit bot's judgement, case by case: who looks after what, and what is to be done."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.trading.causes import OPERATOR_HALT
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.corporate_actions import CorporateAction, Spell, spell_of
from hydra.trading.covered_symbol import Place
from hydra.trading.durations import HOUR, MINUTE, SECOND
from hydra.trading.exit_desk import BARS_KEPT, ExitDesk
from hydra.trading.exit_steps import CloseNow, Look
from hydra.trading.hit_stops import HitStop
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.order_life import Canceled, OrderStatus
from hydra.trading.orders import DecisionKey, Fill, Order, OrderType, Role, Side, TimeInForce
from hydra.trading.protection import Guard
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.trail import Trail
from tests.trading.coverage_parts import SESSIONS, account, instant
from tests.trading.exit_stage import DAY, PLAN, START, TERMS, Stage, attempted

D = Decimal
ONE = ("one", "AAPL")
OVER = OrderStatus.FILLED
HALT = OPERATOR_HALT.cause(since=START, detail="looks wrong")


# Whose it is


def test_a_bot_that_looks_at_each_bar_is_left_alone_i30() -> None:
    stage = Stage()
    stage.looks()
    for _ in range(8):
        assert not stage.bar(low=90.0)
        stage.looks()
        assert (stage.look.taken_over, stage.wants) == ({}, [])
    assert stage.look.coverage.is_whole


def test_a_bot_that_misses_two_bars_is_silent_and_its_rules_are_asked_about_both_i30() -> None:
    stage = Stage()
    stage.looks()
    wants_a_look = [stage.bar(low=98.0, high=98.5)]
    one = stage.look.taken_over
    wants_a_look += [stage.bar()]
    two = stage.look

    assert wants_a_look == [False, True]
    assert (one, two.taken_over) == ({}, {ONE: "its bot is silent"})
    assert [step.reason for step in two.steps if isinstance(step, CloseNow)] == ["stop_loss"]


def test_bars_that_come_in_a_bunch_make_no_bot_silent_before_it_had_time_to_look_i30() -> None:
    stage = Stage()
    stage.looks()
    for _ in range(9):
        stage.bar(after=SECOND)
    early = stage.look.taken_over
    stage.bar(after=2 * SECOND)

    assert (early, stage.look.taken_over) == ({}, {ONE: "its bot is silent"})


@pytest.mark.parametrize("ended", ["sold", "assigned to another"])
def test_that_a_bot_had_not_looked_is_forgotten_with_the_position_that_it_was_about_i30(
    ended: str,
) -> None:
    stage = Stage()
    stage.looks()
    stage.bar()  # and before it looks, nothing is left
    if ended == "sold":
        stage.filled(stage.order("out"), "out", "9")
    else:
        stage.desk.recover([], [], {})
    stage.passes(5 * MINUTE)
    stage.filled(stage.order("in", Role.ENTRY, Side.BUY, signal=8), "in", "9")

    for _ in range(9):
        stage.bar(after=SECOND)
    early = stage.look.taken_over
    stage.bar(after=2 * SECOND)

    assert (early, stage.look.taken_over) == ({}, {ONE: "its bot is silent"})


def test_what_is_taken_over_and_not_to_be_closed_is_guarded_until_its_bot_speaks_i30() -> None:
    stage = Stage()
    stage.looks()
    stage.bar()
    stage.bar()
    guarded = stage.look
    stage.looks()

    assert (guarded.taken_over, guarded.steps) == ({ONE: "its bot is silent"}, ())
    assert (guarded.coverage.is_whole, guarded.coverage.lines[0].by_guards) == (True, D(9))
    assert stage.look.taken_over == {}


def test_a_quarantined_bots_last_word_guards_nothing_until_it_speaks_again_i30_i69() -> None:
    stage = Stage()
    stage.looks()
    stage.desk.quarantined("one", stage.at)
    quarantined = stage.look.taken_over
    stage.looks()

    assert quarantined == {ONE: "its bot is quarantined"}
    assert stage.look.taken_over == {}


@pytest.mark.parametrize(
    ("later", "taken_over"),
    [(0, {ONE: "its bot is quarantined"}), (1, {})],
    ids=["before", "after"],
)
def test_a_bot_that_decides_after_its_quarantine_was_started_again_i30(
    later: int, taken_over: dict[tuple[str, str], str]
) -> None:
    stage = Stage(terms=structs.replace(TERMS, plans=()))
    stage.desk.quarantined("one", stage.at)
    stage.desk.decided("one", stage.at + later)

    assert stage.look.taken_over == taken_over


def test_a_bot_that_does_not_run_has_its_position_closed_by_its_rules_or_at_once_i30() -> None:
    with_rules = Stage(terms=structs.replace(TERMS, bots=frozenset({"two"})))
    without = Stage(terms=structs.replace(TERMS, bots=frozenset({"two"}), plans=()))

    assert (with_rules.wants, with_rules.look.taken_over) == ([], {ONE: "its bot does not run"})
    assert without.wants == [("sell 9", "no rules of its bot are known")]


def test_where_no_bars_come_a_bot_is_silent_after_a_time_of_an_open_market_i30() -> None:
    stage = Stage(at=instant(f"{DAY} 09:00"))
    stage.passes(29 * MINUTE)
    before = stage.look.taken_over
    stage.passes(MINUTE + TERMS.guard_age_max)
    at_the_limit = stage.look.taken_over
    stage.passes(SECOND)

    assert (before, at_the_limit) == ({}, {})
    assert stage.wants == [("sell 9", "no price of it comes to go by")]


def test_where_no_bars_come_the_looks_of_before_a_quarantine_count_no_more_i30_i69() -> None:
    stage = Stage()
    stage.passes(100 * SECOND)
    stage.looks()
    stage.desk.quarantined("one", stage.at)
    stage.passes(SECOND)
    stage.desk.decided("one", stage.at)
    before = stage.look.taken_over
    stage.passes(TERMS.guard_age_max - 100 * SECOND)

    assert (before, stage.look.taken_over) == ({}, {ONE: "its bot is silent"})


def looked_on(stage: Stage, until: int, price_at: int) -> list[dict[Place, str]]:
    """Its bot looks every ten seconds, always at the same price; gives what was taken over."""
    found = []
    while stage.at < until:
        stage.passes(10 * SECOND)
        stage.looks(price_at=price_at)
        found.append(dict(stage.look.taken_over))
    return found


def test_what_a_bot_sees_no_price_of_for_long_is_closed_i30() -> None:
    stage = Stage(terms=structs.replace(TERMS, plans=()))
    blind_at = START + TERMS.guard_age_max + TERMS.repair_within

    before = looked_on(stage, blind_at + 10 * SECOND, START)
    taken_over = looked_on(stage, blind_at + 30 * SECOND, START)[-1]
    stage.passes(10 * SECOND)
    wants = stage.wants
    stage.looks()
    with_a_price = dict(stage.look.taken_over)

    assert set(map(len, before)) == {0}
    assert taken_over == {ONE: "its bot sees no price of it"}
    assert ("sell 9", "no rules of its bot are known") in wants
    assert with_a_price == {}


@pytest.mark.parametrize("protected_by", ["a price now and then", "an order", "a closed market"])
def test_what_is_protected_or_cannot_be_sold_is_no_reason_to_take_over_i30(
    protected_by: str,
) -> None:
    at = instant(f"{DAY} 09:00") if protected_by == "a closed market" else START
    stage = Stage(terms=structs.replace(TERMS, plans=()), at=at)
    if protected_by == "an order":
        stage.order("stop", Role.PROTECT, order_type=OrderType.STOP)
    found = []
    for number in range(1, 10):
        now_and_then = at + (number - 1) * 3 * MINUTE
        price_at = now_and_then if protected_by == "a price now and then" else at
        found += looked_on(stage, at + number * 3 * MINUTE, price_at)

    assert set(map(len, found)) == {0}


def test_a_short_position_that_nobody_looks_after_is_bought_back_i30() -> None:
    stage = Stage("-9")
    stage.desk.quarantined("one", stage.at)

    assert stage.wants == [("buy 9", "no rules of its bot are for a short position")]


CALL, WRITTEN, OTHER = "SPY240816C00550000", "SPY240816C00560000", "QQQ240816C00480000"


def contracts(**held: str) -> ExitDesk:
    """A bot that runs has bought two calls on SPY and one on QQQ, and one on SPY is short."""
    desk = ExitDesk(TERMS, START)
    quantities = {CALL: "2", WRITTEN: "-1", OTHER: "1", **held}
    inventories = []
    for symbol, quantity in quantities.items():
        side = Side.BUY if D(quantity) > 0 else Side.SELL
        lot = Lot(
            side=side,
            quantity=D(quantity).copy_abs(),
            price=D(2),
            opened_at=START,
            execution_id=symbol,
        )
        inventories.append(BotInventory("one", FifoInventory(symbol, (lot,))))
    desk.recover([], inventories, {})
    desk.read(structs.replace(account(quantities), at=START))
    return desk


def closed_by(look: Look) -> list[tuple[str, Side]]:
    return [(each.decision.symbol, each.side) for each in look.steps if isinstance(each, CloseNow)]


def test_a_short_contract_that_no_guard_is_for_is_bought_back_at_once_i30() -> None:
    desk = contracts()

    look = desk.look(START, START)

    words = "no rules of its bot are for a short contract"
    assert look.taken_over == {("one", WRITTEN): words}
    assert closed_by(look) == [(WRITTEN, Side.BUY)]


def test_a_short_contract_that_a_guard_is_for_is_left_to_its_bot_i30() -> None:
    desk = contracts()
    guard = Guard(
        name="writes",
        bot="one",
        symbol=WRITTEN,
        quantity=D(-1),
        since=START,
        until=instant(f"{DAY} 16:00"),
        looked_at=START,
        price_at=START,
    )

    desk.looked(guard)

    assert desk.look(START, START).taken_over == {}


def test_what_may_cover_a_short_contract_is_sold_only_when_that_is_gone_i30() -> None:
    desk = contracts()
    desk.is_lost = True

    first = desk.look(START, START)
    bought = next(each for each in first.steps if isinstance(each, CloseNow))
    fill = Fill(
        execution_id="x",
        client_order_id="back",
        symbol=WRITTEN,
        side=Side.BUY,
        quantity=D(1),
        price=D(1),
        at=START,
    )
    desk.learned(bought.decision, "back", fill, None, START)
    then = desk.look(START + SECOND, START + SECOND)

    assert closed_by(first) == [(WRITTEN, Side.BUY), (OTHER, Side.SELL)]
    assert first.waits == {("one", CALL): f"{WRITTEN} is short, and bought back first"}
    assert closed_by(then) == [(CALL, Side.SELL)]


# Closing


def quarantined(held: str = "9") -> Stage:
    stage = Stage(held, terms=structs.replace(TERMS, plans=()))
    stage.desk.quarantined("one", stage.at)
    return stage


def test_what_is_on_its_way_already_is_waited_for_i30() -> None:
    stage = quarantined()
    stage.order("exit")

    assert stage.wants == []


def test_an_entry_at_the_market_that_is_not_over_is_taken_out_too_i30() -> None:
    stage = quarantined()
    stage.order("entry", Role.ENTRY, Side.BUY)

    assert stage.wants == [("cancel 7", "to be closed: no rules of its bot are known")]


@pytest.mark.parametrize(
    ("asked_first", "wants"), [(True, []), (False, [("sell 9", "no rules of its bot are known")])]
)
def test_only_what_was_approved_after_the_record_was_asked_for_is_known_beyond_it_i25(
    asked_first: bool, wants: list[tuple[str, str]]
) -> None:
    stage = quarantined()
    for ask in (asked_first, not asked_first):
        if ask:
            stage.desk.asked_for_record()
        else:
            stage.order("exit")
    stage.desk.recover([], stage.on_record, {})

    assert stage.wants == wants


def test_what_rests_in_the_way_is_taken_out_first_and_then_all_of_it_is_closed_i30() -> None:
    stage = quarantined()
    stop = stage.order("stop", Role.PROTECT, order_type=OrderType.STOP, signal=2)
    entry = stage.order("entry", Role.ENTRY, Side.BUY, order_type=OrderType.LIMIT, signal=3)
    first, again = stage.wants, stage.wants
    for decision, name in ((stop, "stop"), (entry, "entry")):
        stage.desk.learned(decision, name, Canceled(), None, stage.at)

    reason = "to be closed: no rules of its bot are known"
    assert (first, again) == ([("cancel 2", reason), ("cancel 3", reason)], [])
    assert stage.wants == [("sell 9", "no rules of its bot are known")]


def test_of_a_position_that_is_sold_in_part_the_rest_is_closed_i30() -> None:
    stage = quarantined()
    decision = stage.order("exit")
    stage.filled(decision, "exit", "4")
    stage.desk.learned(decision, "exit", Canceled(), None, stage.at)

    assert stage.wants == [("sell 5", "no rules of its bot are known")]


def test_it_is_tried_again_after_a_while_under_a_name_of_its_own_i15() -> None:
    stage = quarantined()
    (first,), none = stage.look.steps, stage.look.steps
    stage.passes(10 * SECOND)
    (again,) = stage.look.steps

    assert isinstance(first, CloseNow) and isinstance(again, CloseNow)
    assert (first.decision, none) == (DecisionKey("one", "AAPL", DAY, -1, Role.EXIT), ())
    assert again.decision.signal == -2


@given(st.lists(st.integers(-50, 50).filter(bool), max_size=8))
def test_its_numbers_go_on_below_all_that_are_on_record_i15_i38(signals: list[int]) -> None:
    stage = quarantined()
    order = Order(
        client_order_id="",
        symbol="AAPL",
        side=Side.SELL,
        quantity=D(1),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
    )
    recorded = [
        (
            DecisionKey("one", "AAPL", DAY, signal, Role.EXIT),
            structs.replace(attempted(structs.replace(order, client_order_id=str(n))), status=OVER),
        )
        for n, signal in enumerate(signals)
    ]
    held = stage.desk.positions[ONE]
    assert held == 9
    stage.desk.recover(recorded, stage.on_record, {})

    (close,) = stage.look.steps
    assert isinstance(close, CloseNow)
    assert close.decision.signal == min([0, *signals]) - 1


def test_it_closes_nothing_while_its_market_is_closed_and_says_so_i30() -> None:
    stage = quarantined()
    stage.at = instant(f"{DAY} 16:00")
    night = stage.look
    stage.at = instant("2024-07-03 09:30")

    assert night.steps == ()
    assert night.waits == {ONE: "its market is closed; it is closed at the next opening"}
    assert stage.wants[0] == ("sell 9", "no rules of its bot are known")


def test_it_stands_back_where_nothing_can_or_should_be_sent() -> None:
    stage = quarantined()
    stage.desk.stands_back = "trading is halted, so no order passes"

    assert stage.look.waits == {ONE: "trading is halted, so no order passes"}
    assert stage.wants == []


def test_when_the_day_is_lost_a_living_bots_position_is_closed_too_i37() -> None:
    stage = Stage()
    stage.looks()
    stage.desk.is_lost = True

    assert stage.wants == [("sell 9", "daily_loss")]
    assert stage.look.taken_over == {}


SPLIT = "forward split of AAPL, ex-date 2024-07-03"


def near(first: str) -> tuple[Spell, ...]:
    """The days around a split of AAPL with this ex-date."""
    day = date.fromisoformat(first)
    split = CorporateAction(kind="forward_splits", symbols=("AAPL",), first=day, last=day)
    return (spell_of(split, SESSIONS),)


def test_what_is_about_to_be_split_is_closed_before_whoever_looks_after_it_i30() -> None:
    stage = Stage()
    stage.looks()
    stage.desk.told_of_actions(near("2024-07-03"))
    early = stage.wants
    stage.at = instant(f"{DAY} 15:30")
    stage.looks()

    assert early == []
    assert stage.wants == [("sell 9", SPLIT)]
    assert stage.look.taken_over == {}


def test_a_stop_that_rests_is_taken_out_first_and_no_other_symbol_is_closed_i30() -> None:
    stage = Stage(at=instant(f"{DAY} 15:40"))
    stop = stage.order("stop", role=Role.PROTECT, order_type=OrderType.STOP)
    stage.desk.told_of_actions(near("2024-07-03"))
    first = stage.wants
    stage.desk.learned(stop, "stop", Canceled(), None, stage.at)

    assert first == [("cancel 7", f"to be closed: {SPLIT}")]
    assert stage.wants == [("sell 9", SPLIT)]
    other = Stage(at=instant(f"{DAY} 15:40"))
    other.desk.told_of_actions((structs.replace(near("2024-07-03")[0], symbols=("MSFT",)),))
    assert other.wants == []


def test_a_halt_keeps_it_and_that_is_told_i30() -> None:
    stage = Stage(at=instant(f"{DAY} 15:40"))
    stage.desk.told_of_actions(near("2024-07-03"))
    stage.desk.stands_back = "trading is halted, so no order passes"

    assert stage.look.waits == {ONE: "trading is halted, so no order passes"}
    assert stage.wants == []


def test_a_guard_of_before_a_split_protects_nothing_after_it_i30() -> None:
    stage = Stage()
    stage.looks()
    covered = stage.look.coverage.pct
    stage.desk.told_of_actions(near("2024-07-03"))
    stage.at = instant("2024-07-03 09:35")
    stage.looks()
    stage.read()

    assert covered == 100
    assert stage.look.coverage.pct == 0


# What is too much


def test_an_order_that_closes_more_than_is_held_is_taken_out_once_it_has_been_so_for_long() -> None:
    stage = Stage()
    stage.order("first", order_type=OrderType.LIMIT, quantity="9", signal=4)
    stage.passes(SECOND)
    stage.order("second", order_type=OrderType.LIMIT, quantity="3", signal=5)
    stage.looks()
    early = stage.wants
    stage.passes(10 * SECOND)
    stage.looks()

    assert early == []
    assert stage.wants == [("cancel 5", "orders close more than is held: cancel the excess")]


def test_an_exit_that_would_enlarge_the_position_is_taken_out() -> None:
    stage = Stage()
    stage.order("wrong", side=Side.BUY, order_type=OrderType.LIMIT, quantity="2", signal=4)
    stage.looks()
    early = stage.wants
    stage.passes(10 * SECOND)

    assert early == []
    assert stage.wants == [("cancel 4", "it would enlarge the position: cancel it")]


def test_what_is_too_much_for_a_moment_is_left_alone() -> None:
    stage = Stage()
    first = stage.order("first", order_type=OrderType.LIMIT, signal=4)
    stage.order("second", order_type=OrderType.LIMIT, signal=5)
    stage.looks()
    assert stage.wants == []
    stage.desk.learned(first, "first", Canceled(), None, stage.at)
    stage.passes(5 * SECOND)
    assert stage.wants == []
    stage.order("third", order_type=OrderType.LIMIT, signal=6)
    stage.passes(6 * SECOND)

    assert stage.wants == []


# How long


def test_how_long_something_is_not_protected_is_counted_and_latched_after_the_repairs_time() -> (
    None
):
    stage = Stage()
    first = stage.look
    stage.passes(TERMS.repair_within)
    at_the_limit = [step for step in stage.look.steps if not isinstance(step, CloseNow)]
    stage.passes(SECOND)
    after_it = stage.look

    assert (first.uncovered, at_the_limit) == ({ONE: 0}, [])
    assert after_it.uncovered == {ONE: TERMS.repair_within + SECOND}
    assert [getattr(step, "detail", "") for step in after_it.steps][-1] == (
        "one has been without protection for 241 s"
    )


def test_what_a_halt_alone_keeps_unprotected_is_counted_and_never_latched_i11() -> None:
    stage = Stage()
    stage.desk.causes = (HALT,)
    stage.desk.stands_back = "trading is halted, so no order passes"
    stage.looks()
    assert stage.look.uncovered == {ONE: 0}
    stage.passes(TERMS.repair_within + SECOND)
    stage.looks()
    halted = stage.look
    stage.passes(TERMS.guard_age_max + SECOND)
    stale = stage.look

    assert (halted.coverage.lines[0].held_back, halted.steps) == (D(9), ())
    assert halted.uncovered == {ONE: TERMS.repair_within + SECOND}
    assert [type(step).__name__ for step in stale.steps] == ["Unprotected"]
    stage.desk.causes = ()
    stage.looks()
    assert stage.look.coverage.is_whole


def test_a_night_is_no_time_in_which_a_repair_could_have_been_made() -> None:
    stage = Stage(at=instant(f"{DAY} 15:59"))
    stage.desk.stands_back = "trading is halted, so no order passes"
    for _ in range(30):
        assert stage.look.steps == ()
        stage.passes(HOUR // 2)
    assert stage.look.uncovered == {ONE: 15 * HOUR}


# The account


def test_a_reading_that_is_too_many_loops_old_shows_nothing_i30() -> None:
    stage = Stage()
    stage.looks()
    for _ in range(TERMS.reading_loops_max):
        stage.desk.loop_ran()
    known = stage.look.coverage.is_known
    stage.desk.loop_ran()

    assert (known, stage.look.coverage.is_known) == (True, False)
    stage.read()
    assert stage.look.coverage.is_whole


def test_what_of_a_coin_cannot_be_sold_needs_no_protection() -> None:
    coins = structs.replace(TERMS, coins={"AAPL": CoinTerms(least_value_usd=D(10))})
    stage = Stage("0.05", coins)
    before = stage.look.coverage.is_whole
    stage.bar(low=100.0)

    assert (before, stage.look.coverage.is_whole) == (False, True)
    assert (stage.desk.positions, stage.look.uncovered) == ({}, {})


@pytest.mark.parametrize(("held", "sold"), [("1500", "1500"), ("4500", "1500")])
def test_what_of_a_coin_is_worth_more_than_one_order_may_be_is_closed_in_parts_i30(
    held: str, sold: str
) -> None:
    coins = {"AAPL": CoinTerms(most_value_usd=D(200_000))}
    stage = Stage(held, structs.replace(TERMS, coins=coins, bots=frozenset({"two"})))

    stage.bar(99.0)

    (close,) = [each for each in stage.look.steps if isinstance(each, CloseNow)]
    assert isinstance(close, CloseNow)
    assert (close.side, close.quantity) == (Side.SELL, D(sold))


def test_a_coin_that_nothing_here_knows_is_closed_in_parts_by_what_it_cost_i30() -> None:
    """Its bot is gone, its pair with it, and no bars come of it."""
    lot = Lot(side=Side.BUY, quantity=D(4_500), price=D(100), opened_at=START, execution_id="a")
    desk = ExitDesk(TERMS, START)
    desk.recover([], [BotInventory("gone", FifoInventory("BTC/USD", (lot,)))], {})
    desk.read(account({"BTC/USD": "4500"}))

    closes = [each for each in desk.look(START, START).steps if isinstance(each, CloseNow)]

    assert [each.quantity for each in closes] == [D(1_500)]


def test_dust_of_before_makes_what_is_taken_over_of_a_coin_no_older_i30() -> None:
    stage = Stage(terms=structs.replace(TERMS, coins={"AAPL": CoinTerms(least_value_usd=D(10))}))
    (held,) = stage.on_record[0].inventory.lots
    dust = structs.replace(
        held,
        quantity=D("0.05"),
        price=D(150),
        opened_at=stage.at - 120 * MINUTE,
        execution_id="of before",
    )
    stage.position += dust.quantity
    stage.on_record = [BotInventory("one", FifoInventory("AAPL", (dust, held)))]
    stage.desk.recover([], stage.on_record, {})
    stage.read()
    stage.desk.quarantined("one", stage.at)

    stage.bar()
    before = stage.wants
    stage.bar(low=99.01)  # by the price of both, their stop would be at 99.27
    near = stage.wants
    stage.bar(after=58 * MINUTE)

    assert (before, near) == ([], [])
    assert stage.wants == [("sell 9.050000000", "time_stop")]


def test_a_coin_that_comes_to_be_worth_selling_is_taken_over_if_its_bot_does_not_run_i30() -> None:
    coins = {"AAPL": CoinTerms(least_value_usd=D(10))}
    stage = Stage("0.05", structs.replace(TERMS, coins=coins, bots=frozenset({"two"})))
    stage.bar(low=100.0)
    stage.desk.recover([], stage.on_record, {})
    dust = stage.look.taken_over
    stage.bar(low=300.0, high=300.0)

    assert (dust, stage.look.taken_over) == ({}, {ONE: "its bot does not run"})


@pytest.mark.parametrize("moment", [0, 1, 5])
def test_a_desk_that_begins_anew_finds_nobody_silent_before_bars_were_missed_i38(
    moment: int,
) -> None:
    stage = Stage()
    stage.passes(moment * SECOND)
    assert stage.look.taken_over == {}
    stage.bar()
    assert (stage.look.taken_over, stage.at) == ({}, START + MINUTE + moment * SECOND)


TRAILING = structs.replace(
    TERMS,
    plans=(structs.replace(PLAN, rules=structs.replace(PLAN.rules, trailing_stop_pct=D("0.5"))),),
)


@pytest.mark.parametrize("low", [100.51, 100.5])
def test_where_its_bot_would_have_closed_it_what_was_taken_over_is_closed_i30(low: float) -> None:
    """By a stop that came with a signal, say: that of the settings is at 99."""
    stage = Stage()
    stage.bar(low=101.0, high=101.0)
    stage.looks(stop_price="100.5")
    stage.desk.quarantined("one", stage.at)

    stage.bar(low=low, high=101.0)

    assert stage.wants == ([("sell 9", "stop of its bot")] if low <= 100.5 else [])


@pytest.mark.parametrize("bars", [1, 8], ids=["at once", "after so many that bars are forgotten"])
def test_a_trailing_stop_follows_what_was_taken_over_i30(bars: int) -> None:
    stage = Stage(terms=TRAILING)
    stage.bar(low=100.5, high=101.0)
    stage.looks(stop_price="100.495")
    stage.desk.quarantined("one", stage.at)
    stage.bar(low=101.0, high=101.8)
    for _ in range(bars):
        stage.bar(low=101.3, high=101.3)
    before = stage.wants

    stage.bar(low=101.29, high=101.3)  # 0.5 % below 101.8 is 101.291

    assert (before, stage.wants) == ([], [("sell 9", "stop of its bot")])


@pytest.mark.parametrize(
    ("lots", "said", "low", "closes"),
    [
        (("a",), None, 101.29, True),  # 0.5 % below 101.8 is 101.291
        (("a",), None, 101.30, False),
        (("a", "b"), None, 101.29, True),
        (("of another position",), None, 101.29, False),
        (("a",), "101.0", 101.29, False),  # it lived longer than its word on record
        (("a",), "101.5", 101.50, True),
    ],
)
def test_a_desk_that_begins_anew_takes_a_dead_bots_trailing_stop_from_the_record_i30_i38(
    lots: tuple[str, ...], said: str | None, low: float, closes: bool
) -> None:
    stage = Stage(terms=TRAILING)
    if said is not None:
        stage.looks(stop_price=said)
    trail = Trail(lots=lots, highest=D("101.8"))
    stage.desk.recover([], stage.on_record, {}, trails={"one": trail, "two": trail})
    stage.desk.quarantined("one", stage.at)

    stage.bar(low=low, high=low)

    assert stage.wants == ([("sell 9", "stop of its bot")] if closes else [])


def test_how_far_a_stop_that_was_taken_over_has_come_goes_on_record_as_it_rises_i30_i38() -> None:
    stage = Stage(terms=TRAILING)
    stage.looks(stop_price="100.495")  # it saw 101
    stage.desk.quarantined("one", stage.at)
    put = []
    for high in (100.9, 101.0, 101.8, 101.81, 101.5, 101.9):
        stage.bar(low=high, high=high)
        put.append([trail.highest for _, trail in stage.puts_on_record])

    assert put == [[], [], [D("101.8")], [], [], [D("101.9")]]
    assert stage.puts_on_record == []


def test_what_its_own_bot_looks_after_it_puts_nothing_on_record_of() -> None:
    stage = Stage(terms=TRAILING)
    stage.bar(low=101.8, high=101.8)

    assert stage.puts_on_record == []


def test_what_is_on_record_of_a_bot_without_a_trailing_stop_closes_nothing_i30() -> None:
    stage = Stage()
    trail = Trail(lots=("a",), highest=D("101.8"))
    stage.desk.recover([], stage.on_record, {}, trails={"one": trail})
    stage.desk.quarantined("one", stage.at)

    stage.bar(low=100.0, high=100.0)

    assert stage.wants == []


def test_a_stop_that_was_hit_stays_hit_when_the_bar_is_long_forgotten_i30() -> None:
    stage = Stage()
    stage.desk.quarantined("one", stage.at)
    stage.desk.stands_back = "trading is halted, so no order passes"
    stage.bar(low=98.9)
    kept = [stage.keeps_hits, stage.keeps_hits]
    halted = stage.wants
    for _ in range(BARS_KEPT):
        stage.bar()
    stage.desk.stands_back = ""

    hit = HitStop(bot="one", symbol="AAPL", reason="stop_loss", lots=("a",))
    assert kept == [[(hit,)], []]
    assert (halted, stage.wants) == ([], [("sell 9", "stop_loss")])


def test_what_a_bot_saw_hit_goes_on_record_once_and_is_closed_when_it_is_taken_over_i30() -> None:
    stage, hit = Stage(), HitStop(bot="one", symbol="AAPL", reason="trailing_stop", lots=("a",))
    stage.bar()

    is_news = [stage.looks(hit=hit), stage.looks(hit=hit)]
    kept = [stage.keeps_hits, stage.keeps_hits]
    left_alone = stage.wants
    stage.desk.quarantined("one", stage.at)
    stage.bar()

    assert (is_news, kept, left_alone) == ([True, False], [[(hit,)], []], [])
    assert stage.wants == [("sell 9", "trailing_stop")]


@pytest.mark.parametrize(("lots", "closes"), [(("a", "z"), True), (("z",), False)])
def test_a_desk_that_begins_anew_takes_a_stop_that_was_hit_from_the_record_i30_i38(
    lots: tuple[str, ...], closes: bool
) -> None:
    stage = Stage()
    hit = HitStop(bot="one", symbol="AAPL", reason="stop_loss", lots=lots)
    stage.desk.recover([], stage.on_record, {}, hits=[hit])
    stage.desk.quarantined("one", stage.at)

    stage.bar()

    assert stage.wants == ([("sell 9", "stop_loss")] if closes else [])
    assert stage.keeps_hits == []


def test_the_stop_of_a_position_that_is_over_is_none_of_the_next_i30() -> None:
    stage = Stage()
    stage.looks(stop_price="100.5")
    stage.filled(stage.order("exit"), "exit", "9")
    bought = stage.order("entry", Role.ENTRY, Side.BUY, signal=8)
    fill = Fill(
        execution_id="again",
        client_order_id="entry",
        symbol="AAPL",
        side=Side.BUY,
        quantity=D(9),
        price=D(100),
        at=stage.at,
    )
    stage.desk.learned(bought, "entry", fill, None, stage.at)
    stage.desk.quarantined("one", stage.at)

    stage.bar(low=99.9, high=100.0)

    assert stage.wants == []


def test_a_stop_that_is_no_price_is_none_i30_i34() -> None:
    stage = Stage()
    stage.looks(stop_price="NaN")
    stage.desk.quarantined("one", stage.at)

    stage.bar(low=100.0, high=101.0)

    assert stage.wants == []
