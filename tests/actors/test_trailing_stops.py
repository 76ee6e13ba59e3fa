"""A stop that follows the price: at the venue, in the engine, over a crash and what was missed."""

from decimal import Decimal

import msgspec

from hydra.trading.orders import Role
from hydra.trading.trail import trail_of
from tests.actors.stop_stage import PLAN, TEN, StopStage, bought, quiet, stop_of, with_exits


def test_a_trailing_stop_is_moved_up_and_never_down() -> None:
    stage = bought(with_exits(trailing_stop_pct=Decimal("0.4"), take_profit_pct=Decimal(9)))
    levels = [stop_of(stage).intent.stop_price]
    for price in ("100.50", "100.51", "100.20", "101.00"):
        stage.bar("100.20", price, price)
        stage.answer_everything()
        levels.append(stop_of(stage).intent.stop_price)

    # 0.4 % below the highest price so far; not for a cent, and not down.
    wanted = ["99.60", "100.10", "100.10", "100.10", "100.60"]
    assert levels == [Decimal(level) for level in wanted]
    assert stop_of(stage).intent.reason == "trailing_stop"


def test_a_stop_is_not_taken_out_for_one_that_the_price_collar_would_deny_i30() -> None:
    far = msgspec.structs.replace(
        PLAN.exits, trailing_stop_pct=Decimal(8), take_profit_pct=Decimal(50)
    )
    plan = msgspec.structs.replace(PLAN, exits=far, price_collar_pct=Decimal(5))
    stage = bought(StopStage(plan))
    at_first = stop_of(stage)
    stage.bar("100", "111", "111")
    stage.answer_everything()
    far_below = stop_of(stage)
    stage.bar("105", "107", "107")
    stage.answer_everything()

    assert far_below is at_first
    assert stop_of(stage).intent.stop_price == Decimal("102.12")  # of 107 that is less than 5 %


TRAILS_IN_THE_ENGINE = msgspec.structs.replace(
    PLAN,
    exits=msgspec.structs.replace(
        PLAN.exits, trailing_stop_pct=Decimal("0.4"), take_profit_pct=Decimal(9)
    ),
    price_steps=(),
)


def test_the_engine_looks_at_the_trailing_stop_too_i30() -> None:
    stage = StopStage(TRAILS_IN_THE_ENGINE)
    bought(stage)
    stage.bar("100", "101", "101")
    before = stage.live()

    stage.bar("100.59", "101", "100.60")

    assert before == []
    assert [(each.role, each.intent.reason) for each in stage.live()] == [
        (Role.EXIT, "trailing_stop")
    ]


def test_a_trailing_stop_follows_a_price_that_was_reached_while_bars_were_missed_i30_i47() -> None:
    stage = bought(StopStage(TRAILS_IN_THE_ENGINE))
    stage.bar("100", "101", "101", is_backfill=True)
    stage.bar("100.70", "100.80", "100.80", is_backfill=True)
    on_history = stage.live()

    stage.bar("100.59", "100.70", "100.60")

    assert on_history == []
    assert [(each.role, each.intent.reason) for each in stage.live()] == [
        (Role.EXIT, "trailing_stop")
    ]


def test_a_trailing_stop_goes_on_after_a_crash_where_it_was_i30_i38() -> None:
    stage = bought(StopStage(TRAILS_IN_THE_ENGINE))
    stage.bar("100", "101", "101")

    stage.crash()
    stage.bar("100.59", "100.70", "100.60")

    assert [(each.role, each.intent.reason) for each in stage.live()] == [
        (Role.EXIT, "trailing_stop")
    ]


def test_it_goes_on_record_only_when_it_has_risen_by_the_least_step() -> None:
    stage = bought(StopStage(TRAILS_IN_THE_ENGINE))
    for price in ("100.01", "100.50", "100.51", "100.53", "100.54", "100.40", "100.55"):
        stage.bar("100.40", price, price)

    highest = [trail.highest for trail in map(trail_of, stage.trails) if trail is not None]
    assert highest == [Decimal(100), Decimal("100.50"), Decimal("100.55")]


def test_of_the_position_before_it_knows_nothing_i30() -> None:
    stage = bought(StopStage(TRAILS_IN_THE_ENGINE))
    stage.bar("100", "103", "103")
    stage.bar("102", "102.5", "102.4")
    (exit_,) = stage.live(Role.EXIT)
    stage.fill(exit_, exit_.intent.quantity, Decimal("102.4"))
    quiet(stage)
    stage.answer_everything()
    (entry,) = stage.live(Role.ENTRY)
    stage.fill(entry, TEN)

    stage.crash()
    stage.bar("100", "100.10", "100")

    assert stage.live() == []
