"""What a momentum bot holds is under a stop that rests at the venue, and nothing is sold twice.

Every key of `momentum_bots` has an effect, and a test that shows it:

| key | test |
| --- | --- |
| `bot_id`, `ticker`, `enabled` | `tests/engine/test_trading.py::test_bots_of_one_symbol_keep_separate_books`, `tests/ops/test_run.py` |
| `session.trade_start`, `trade_end` | `tests/engine/test_trading.py::test_nothing_is_bought_after_the_bot_s_own_window...` |
| `session.manage_until` | `test_past_manage_until_the_stop_gives_way_to_an_exit` |
| `execution.default_notional_usd` | `tests/actors/test_entries_of_a_day.py::test_an_entry_buys_what_the_notional_is_good_for` |
| `execution.protective_order` | `test_a_stop_rests_for_all_that_is_bought_i30`, `test_without_a_resting_order_the_engine_alone_looks` |
| `risk.max_trades_per_day` | `tests/actors/test_entries_of_a_day.py::test_no_more_entries_than_the_day_allows` |
| `risk.max_concurrent_positions` | `tests/actors/test_entries_of_a_day.py::test_so_many_entries_are_open_at_once_as_are_allowed` |
| `exits.stop_loss_pct` | `test_a_stop_rests_for_all_that_is_bought_i30` |
| `exits.take_profit_pct` | `test_at_the_target_the_stop_is_taken_out_first_and_then_it_is_sold` |
| `exits.time_stop_minutes` | `test_a_position_is_held_for_its_time_also_where_no_bar_comes` |
| `exits.trailing_stop_pct` | `tests/actors/test_trailing_stops.py::test_a_trailing_stop_is_moved_up_and_never_down`, `::test_a_trailing_stop_goes_on_after_a_crash_where_it_was_i30_i38` |
| `signal.mode`, `signal.params` | `tests/trading/strategies/` |
"""  # noqa: E501 a row of a table is one line, or it is no table

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.trading.durations import DAY
from hydra.trading.order_checks import price_is_known
from hydra.trading.orders import OrderType, Role, Side, TimeInForce
from hydra.trading.resting_stop import TRIES
from hydra.trading.sessions import ExchangeSession, SessionTable, Window
from messages.loops import LOOP_TOPIC, LoopRan
from tests.actors.stop_stage import (
    PLAN,
    SESSION,
    TEN,
    Sent,
    StopStage,
    bought,
    quiet,
    replaced,
    stop_of,
    with_exits,
)
from tests.engine.scenery import CLOSE_AT, OPEN_AT

MONDAY = ExchangeSession("2016-04-18", OPEN_AT + 3 * DAY, CLOSE_AT + 3 * DAY, False)


@pytest.fixture
def stage() -> StopStage:
    return StopStage()


@pytest.fixture
def held(stage: StopStage) -> StopStage:
    """Ten shares, bought at 100, under a stop that rests."""
    quiet(stage)
    (entry,) = stage.sent
    stage.accept(entry)
    stage.fill(entry, TEN)
    stage.answer_everything()
    return stage


def content(order: Sent) -> tuple[Side, Decimal, OrderType, Decimal | None, TimeInForce, str]:
    intent = order.intent
    return (
        intent.side,
        intent.quantity,
        intent.order_type,
        intent.stop_price,
        intent.time_in_force,
        intent.reason,
    )


def test_a_stop_rests_for_all_that_is_bought_i30(held: StopStage) -> None:
    # 0.5 % below 100, good until canceled: a position can outlive its day, and the engine.
    assert content(stop_of(held)) == (
        Side.SELL,
        TEN,
        OrderType.STOP,
        Decimal("99.50"),
        TimeInForce.GTC,
        "stop_loss",
    )


def test_a_stop_between_two_prices_rests_at_the_higher_one_i35(stage: StopStage) -> None:
    quiet(stage)
    stage.accept(stage.sent[0])
    stage.fill(stage.sent[0], TEN, Decimal("100.20"))  # 99.699

    assert stage.sent[-1].intent.stop_price == Decimal("99.70")


def test_it_is_placed_at_once_and_not_at_the_next_bar_i30(stage: StopStage) -> None:
    quiet(stage)
    stage.accept(stage.sent[0])

    stage.fill(stage.sent[0], TEN)

    assert [each.role for each in stage.live()] == [Role.PROTECT]


def test_an_entry_that_is_filled_in_part_has_a_bar_s_time_then_its_rest_is_taken_out_i30(
    stage: StopStage,
) -> None:
    quiet(stage)
    entry = stage.sent[0]
    stage.accept(entry)
    stage.fill(entry, Decimal(4))
    at_first = (stage.live(), entry.is_asked_out)

    quiet(stage)
    was_asked = entry.is_asked_out
    stage.answer_everything()

    assert at_first == ([entry], False)
    assert was_asked
    assert stop_of(stage).intent.quantity == 4


def test_what_is_filled_of_an_entry_after_its_stop_gets_a_stop_of_its_own_i30(
    stage: StopStage,
) -> None:
    # The venue reports the end of the entry before its last execution.
    quiet(stage)
    entry = stage.sent[0]
    stage.accept(entry)
    stage.fill(entry, Decimal(4))
    stage.cancel(entry)
    stage.answer_everything()
    entry.is_over = False

    stage.fill(entry, Decimal(6))
    stage.answer_everything()

    assert [each.intent.quantity for each in stage.live(Role.PROTECT)] == [4, 6]


def test_at_the_target_the_stop_is_taken_out_first_and_then_it_is_sold(held: StopStage) -> None:
    stop = stop_of(held)

    held.bar("100", "101", "101")
    before = (stop.is_asked_out, held.live())
    held.cancel(stop)

    assert before == (True, [stop])
    (exit_,) = held.live()
    assert (exit_.role, exit_.intent.quantity, exit_.intent.reason) == (
        Role.EXIT,
        TEN,
        "take_profit",
    )


def test_the_end_of_a_stop_is_asked_for_when_the_venue_has_it(stage: StopStage) -> None:
    # A request could arrive before the order that it is about, and then nobody would ask again.
    quiet(stage)
    stage.accept(stage.sent[0])
    stage.fill(stage.sent[0], TEN)
    stop = stop_of(stage)

    stage.bar("100", "101", "101")
    on_its_way = stop.is_asked_out
    stage.accept(stop)

    assert (on_its_way, stop.is_asked_out) == (False, True)


def test_a_stop_that_fills_while_it_is_asked_out_ends_it(held: StopStage) -> None:
    stop = stop_of(held)
    held.bar("100", "101", "101")

    held.fill(stop, TEN)

    assert held.position == 0
    assert held.live() == []


def test_a_bar_in_which_it_was_stopped_out_is_no_reason_to_buy(held: StopStage) -> None:
    # Whether the word of the sale or the bar comes first: the next bar decides.
    held.fill(stop_of(held), TEN)
    after_the_sale = held.live()
    quiet(held)

    assert after_the_sale == []
    assert [each.role for each in held.live()] == [Role.ENTRY]


def test_a_stop_that_a_bar_has_touched_is_given_a_bar_to_be_reported_filled(
    held: StopStage,
) -> None:
    stop = stop_of(held)

    held.bar("99.40", "100", "99.40")
    after_one = stop.is_asked_out
    held.bar("99.60", "99.70", "99.70")
    after_two = stop.is_asked_out
    held.cancel(stop)

    # The second line: the venue did not execute it, whatever the reason.
    assert (after_one, after_two) == (False, True)
    assert [each.role for each in held.live()] == [Role.EXIT]


def test_a_stop_that_came_after_its_price_was_there_is_no_reason_to_wait(stage: StopStage) -> None:
    quiet(stage)
    stage.accept(stage.sent[0])
    stage.fill(stage.sent[0], TEN)
    stage.now += MINUTE
    stage.accept(stop_of(stage))  # at the end of the bar in which the price fell
    stage.now -= MINUTE

    stage.bar("99.40", "100", "100")

    assert stop_of(stage).is_asked_out


@pytest.mark.parametrize("end", [StopStage.reject, StopStage.cancel, StopStage.deny])
def test_a_stop_that_is_lost_is_placed_again_at_the_next_bar_and_after_some_times_seldom_i30(
    held: StopStage, end: Callable[[StopStage, Sent], None]
) -> None:
    tries = []
    for _ in range(20):
        for stop in held.live(Role.PROTECT):
            end(held, stop)
        assert held.live() == []  # not at once: whoever took it out may have something in mind
        quiet(held)
        tries.append(len(held.live(Role.PROTECT)))

    assert tries == [1] * (TRIES - 1) + [0] * 14 + [1] * 3 + [0]
    assert held.guards[-1] == (TEN, held.now)  # the engine-side guard looks all the while


def test_a_stop_that_is_denied_is_tried_again_at_the_next_bar_i30(stage: StopStage) -> None:
    quiet(stage)
    stage.accept(stage.sent[0])
    stage.fill(stage.sent[0], TEN)
    stage.deny(stop_of(stage))
    before = stage.live()

    quiet(stage)

    assert (before, [each.role for each in stage.live()]) == ([], [Role.PROTECT])


@pytest.mark.parametrize(
    "check", ["trading_is_open", "session_is_open", "price_is_fresh", "no_order_opposes"]
)
def test_a_stop_that_only_a_halt_or_a_night_keeps_away_is_tried_at_each_bar_i11_i30(
    held: StopStage, check: str
) -> None:
    held.cancel(stop_of(held))
    for _ in range(2 * TRIES):
        quiet(held)
        held.deny(stop_of(held), check)
    quiet(held)

    assert len(held.live(Role.PROTECT)) == 1


def test_one_that_another_order_kept_away_is_tried_again_once_the_bot_is_told_so_i30(
    held: StopStage,
) -> None:
    held.cancel(stop_of(held))
    quiet(held)
    held.deny(stop_of(held), "no_order_opposes")

    held.change_record()

    assert len(held.live(Role.PROTECT)) == 1


@pytest.mark.parametrize("is_lost", [False, True], ids=["it lives on", "it fails"])
def test_a_stop_that_the_engine_saw_hit_stays_hit_though_its_exit_was_denied_i30(
    is_lost: bool,
) -> None:
    held = StopStage(structs.replace(PLAN, price_steps=()))
    quiet(held)
    held.accept(held.sent[0])
    held.fill(held.sent[0], TEN)
    held.bar("99.5", "100", "100")
    held.deny(held.sent[-1])

    if is_lost:
        held.crash()
    quiet(held)

    exits = [each.intent.reason for each in held.sent if each.role is Role.EXIT]
    assert exits == ["stop_loss", "stop_loss"]


def test_a_crash_forgets_no_stop_and_makes_no_second_one_i16_i38(held: StopStage) -> None:
    stop = stop_of(held)

    held.crash()
    quiet(held)
    held.bar("100", "101", "101")

    assert held.live() == [stop]
    assert stop.is_asked_out


@pytest.mark.parametrize("crashes", [1, 2])
@pytest.mark.parametrize("is_recorded", [True, False])
def test_one_whose_end_it_asked_for_before_a_crash_is_placed_again_at_once_i30_i38(
    held: StopStage, is_recorded: bool, crashes: int
) -> None:
    """By now the price says to hold. That it was asked for may not have come on record."""
    stop = stop_of(held)
    held.bar("100", "101", "101")
    asked_before = stop.is_asked_out
    if not is_recorded:
        held.forget_values()
    for _ in range(crashes):
        held.crash()
    quiet(held)

    held.cancel(stop)
    lost = held.state()["stops_lost"]
    (again,) = held.live()
    held.cancel(again)

    assert asked_before
    assert lost == (0 if is_recorded else 1)  # what it asked for itself is no alarm
    assert (again.role, again.intent.quantity) == (Role.PROTECT, TEN)
    assert held.state()["stops_lost"] == lost + 1
    assert held.live() == []  # that one it would know of


def test_that_one_was_asked_out_before_a_crash_says_nothing_of_the_next_i30(
    held: StopStage,
) -> None:
    held.bar("100", "101", "101")
    held.cancel(stop_of(held))
    sale = held.live()[0]
    held.accept(sale)
    held.fill(sale, TEN)
    quiet(held)
    entry = held.live()[0]
    held.accept(entry)
    held.fill(entry, TEN)
    stop = held.live(Role.PROTECT)[0]
    held.accept(stop)

    held.crash()
    held.cancel(stop)

    assert held.state()["stops_lost"] == 1


def crashed_without_a_stop(stage: StopStage) -> StopStage:
    """Ten shares, bought at 100; it died before it wanted their stop, or that never passed."""
    quiet(stage)
    (entry,) = stage.sent
    stage.accept(entry)
    stage.fill(entry, TEN)
    for stop in stage.live(Role.PROTECT):
        stage.deny(stop)
    stage.crash()
    return stage


def loops(stage: StopStage, seconds: int, *, passed: bool = True) -> list[Sent]:
    """A loop runs so many seconds later, before any bar; gives the stops that are wanted now."""
    at = stage.now + seconds * SECOND
    stage.kit.advance(at - stage.kit.now)
    stage.kit.publish(LOOP_TOPIC, LoopRan(number=seconds, passed=passed, at=at))
    stage.listen()
    return stage.live(Role.PROTECT)


def test_after_a_crash_a_stop_that_is_missing_comes_with_the_first_loop_and_not_with_a_bar_i30(
    stage: StopStage,
) -> None:
    crashed_without_a_stop(stage)

    before = loops(stage, 5, passed=False)
    (stop,) = loops(stage, 10)
    stage.accept(stop)
    again = loops(stage, 40)

    assert before == []
    intent = stop.intent
    assert (intent.quantity, intent.stop_price) == (TEN, Decimal("99.50"))
    assert intent.decided_at == stage.now + 10 * SECOND
    assert again == [stop]
    quiet(stage)
    assert stage.live() == [stop]


def test_where_no_price_is_known_yet_it_is_tried_again_every_quarter_of_a_minute_i30(
    stage: StopStage,
) -> None:
    crashed_without_a_stop(stage)
    wanted = []

    for seconds in range(5, 55, 5):
        for stop in loops(stage, seconds):
            wanted.append(seconds)
            stage.deny(stop, price_is_known.__name__)
    quiet(stage)

    assert wanted == [5, 20, 35, 50]
    assert len(stage.live(Role.PROTECT)) == 1


def test_one_that_is_refused_without_a_bar_is_left_to_the_bars_i30(stage: StopStage) -> None:
    crashed_without_a_stop(stage)

    (stop,) = loops(stage, 5)
    stage.deny(stop)
    afterwards = loops(stage, 50)
    quiet(stage)

    assert afterwards == []
    assert len(stage.live(Role.PROTECT)) == 1


def test_a_stop_that_is_found_without_a_position_is_taken_out(held: StopStage) -> None:
    stop = stop_of(held)
    held.inventory = msgspec.structs.replace(held.inventory, lots=())  # assigned to another bot

    held.crash()
    quiet(held)

    assert stop.is_asked_out


def test_who_sells_in_its_name_is_not_sold_beside_i16(held: StopStage) -> None:
    # The exit bot, or an operator's flatten: it took the stop out, and an exit is on record.
    stop = stop_of(held)
    decision = msgspec.structs.replace(stop.intent.decision, signal=-1, role=Role.EXIT)
    foreign = Sent(
        intent=msgspec.structs.replace(
            stop.intent, decision=decision, order_type=OrderType.MARKET, stop_price=None
        )
    )
    held.cancel(stop)
    held.sent.append(foreign)
    held.accept(foreign)

    for _ in range(3):
        quiet(held)

    assert held.live() == [foreign]


def test_past_manage_until_the_stop_gives_way_to_an_exit() -> None:
    stage = bought(replaced(manage_window=Window.parse("13:30", "13:33", "UTC")))

    quiet(stage)
    still_held = [each.role for each in stage.live()]
    quiet(stage)
    stage.answer_everything()

    assert still_held == [Role.PROTECT]
    assert [(each.role, each.intent.reason) for each in stage.live()] == [
        (Role.EXIT, "session_end")
    ]


def test_a_position_is_held_for_its_time_also_where_no_bar_comes() -> None:
    stage = bought(with_exits(time_stop_ns=4 * MINUTE))
    roles = []
    for minute in range(1, 7):  # no bar comes any more; the loop goes on
        at = stage.now + minute * MINUTE
        stage.kit.advance(at - stage.kit.now)
        stage.kit.publish(LOOP_TOPIC, LoopRan(number=minute, passed=True, at=at))
        stage.listen()
        stage.answer_everything()
        roles.append(stage.live()[0].role)

    # The position was opened with the first bar's end, 4 minutes before the fourth loop.
    assert roles == [Role.PROTECT] * 3 + [Role.EXIT] * 3
    assert stage.sent[-1].intent.decided_at == OPEN_AT + 5 * MINUTE


def on_monday(stage: StopStage, *roles: Role) -> list[tuple[str, int]]:
    """The feed is lost until Monday's opening. What is wanted then without a bar is rejected, and
    then Friday's bars come as history; gives what all that was wanted on Monday is called.
    """
    stage.now = MONDAY.open_at
    loops(stage, 30)
    (first,) = stage.live(*roles)
    stage.reject(first)
    for other in stage.live():
        stage.deny(other)
    for minute in (3, 4):
        stage.missed(SESSION.open_at + minute * MINUTE)
    quiet(stage)
    wanted = stage.sent[stage.sent.index(first) :]
    return [(each.intent.decision.session, each.intent.decision.signal) for each in wanted]


def test_bars_that_were_missed_before_a_close_do_not_bring_its_session_back_i16_i47() -> None:
    stage = bought(replaced(sessions=SessionTable((SESSION, MONDAY)), price_steps=()))

    named = on_monday(stage, Role.EXIT)

    assert named == [("2016-04-18", number) for number in range(1, len(named) + 1)]
    assert len(named) > 1


def test_nor_where_a_stop_was_missing_after_a_crash_i16_i30_i47() -> None:
    stage = replaced(sessions=SessionTable((SESSION, MONDAY)))
    crashed_without_a_stop(stage)

    named = on_monday(stage, Role.PROTECT)

    assert named == [("2016-04-18", number) for number in range(1, len(named) + 1)]
    assert len(named) > 1


def test_while_bars_come_the_loop_decides_nothing(held: StopStage) -> None:
    before = list(held.guards)

    for seconds in range(5, 150, 5):
        at = held.now + seconds * 10**9
        held.kit.publish(LOOP_TOPIC, LoopRan(number=seconds, passed=True, at=at))

    assert held.guards == before


def test_without_a_resting_order_the_engine_alone_looks() -> None:
    stage = bought(replaced(price_steps=()))
    at_first = stage.live()

    stage.bar("99.49", "100", "99.60")

    assert at_first == []
    assert [(each.role, each.intent.reason) for each in stage.live()] == [(Role.EXIT, "stop_loss")]


def test_of_fractions_only_whole_shares_are_under_the_order_i30() -> None:
    stage = replaced(quantity_step=Decimal("0.001"), order_notional_usd=Decimal(250))
    quiet(stage)
    stage.answer_everything()
    stage.fill(stage.sent[0], Decimal("2.5"))
    stage.answer_everything()

    assert stop_of(stage).intent.quantity == 2
    assert stage.guards[-1] == (Decimal("2.5"), stage.now)


def test_it_tells_of_each_look_and_that_nothing_is_left_i30(stage: StopStage) -> None:
    quiet(stage)
    stage.answer_everything()
    entered = list(stage.guards)
    stage.fill(stage.sent[0], TEN)
    stage.answer_everything()
    quiet(stage)
    stage.fill(stop_of(stage), TEN)

    at = OPEN_AT + MINUTE
    assert entered == []
    assert stage.guards == [(TEN, at), (TEN, at + MINUTE), (Decimal(0), at + MINUTE)]
