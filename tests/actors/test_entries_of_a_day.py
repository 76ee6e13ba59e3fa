"""How much a momentum bot buys, how often in a day, and how many of it may be open at once."""

from decimal import Decimal

import pytest

from hydra.trading.orders import Role
from tests.actors.stop_stage import bought, quiet, replaced


def test_an_entry_buys_what_the_notional_is_good_for() -> None:
    quantities = []
    for notional in (999, 1000, 1099):
        stage = replaced(order_notional_usd=Decimal(notional))
        quiet(stage)
        quantities.append(stage.sent[0].intent.quantity)

    assert quantities == [9, 10, 10]


@pytest.mark.parametrize("allowed", [1, 2, 3])
def test_no_more_entries_than_the_day_allows(allowed: int) -> None:
    stage = replaced(max_trades_per_day=allowed)
    for _ in range(6):
        quiet(stage)
        for order in stage.live():
            stage.reject(order)

    assert [each.role for each in stage.sent] == [Role.ENTRY] * allowed


@pytest.mark.parametrize("crashes", [False, True])
def test_an_entry_that_was_held_back_is_no_trade_of_the_day_i38(crashes: bool) -> None:
    stage = replaced(max_trades_per_day=1)
    for _ in range(3):
        quiet(stage)
        for order in stage.live():
            stage.withhold(order)
        if crashes:
            stage.crash()
    quiet(stage)
    for order in stage.live():
        stage.reject(order)
    quiet(stage)

    assert [each.is_withheld for each in stage.sent] == [True, True, True, False]


def test_a_denied_entry_is_no_trade_of_the_day_and_is_wished_again_less_and_less_often() -> None:
    stage = replaced(max_trades_per_day=1)
    wished = []
    for number in range(20):
        quiet(stage)
        for order in stage.live():
            wished.append(number)
            stage.deny(order)

    assert wished == [0, 1, 3, 7, 15]


def test_once_an_entry_was_not_denied_the_next_one_waits_no_more() -> None:
    stage = replaced(max_trades_per_day=9)
    for _ in range(3):
        quiet(stage)
        for order in stage.live():
            stage.deny(order)
    quiet(stage)
    (passed,) = stage.live()
    stage.reject(passed)
    sent = len(stage.sent)
    quiet(stage)
    for order in stage.live():
        stage.deny(order)
    quiet(stage)

    assert len(stage.sent) == sent + 2


@pytest.mark.parametrize("allowed", [1, 2, 3])
def test_so_many_entries_are_open_at_once_as_are_allowed(allowed: int) -> None:
    stage = replaced(max_concurrent_positions=allowed, price_steps=())
    for _ in range(6):
        quiet(stage)
        stage.answer_everything()
        for order in stage.live():
            stage.fill(order, order.intent.quantity / 2)
            stage.fill(order, order.intent.quantity / 2)

    assert stage.position == 10 * allowed


def test_no_further_entry_is_sent_beside_a_stop_that_rests() -> None:
    stage = bought(replaced(max_concurrent_positions=2))

    quiet(stage)

    assert [each.role for each in stage.live()] == [Role.PROTECT]
    assert stage.state()["idle"] == "its stop rests at the venue, which takes no entry beside it"
