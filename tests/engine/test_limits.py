"""Limits, rates and counters as the venue feels them: it is its log that is judged.

What each check says is tested beside the checks. Here the whole engine is driven against them, by
bots that have gone mad, over restarts, and by many threads at once.
"""

import random
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from actors.guardian_terms import GuardianTerms
from hydra.actor import MILLISECOND, MINUTE, SECOND, ChildSpec, Ref
from hydra.assembly import Engine, assemble
from hydra.runtime.clock import machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.testkit.faults import Edge, disturbing, lost
from hydra.trading.orders import DecisionKey, Role, Side
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import RejectLater
from hydra.venues.simulated.requests import Cancel, Submit
from messages.control import CancelOrder, RecordChanged
from messages.market import BarsClosed
from messages.orders import OrderIntent, OrderRejected, ReportStored
from supervisors import paths
from tests.engine.harness import (
    OPEN_AT,
    WIDE,
    Life,
    ListJournal,
    World,
    bars_of,
    begun,
    market_of,
    plan_of,
    quiet,
    rising,
    settings_with,
    struck,
    without_bots,
)
from tests.engine.judge import exposures, require_agreement, require_sound

CLOSE_ONLY = TradingState.CLOSE_ONLY
BOT: Ref[Any] = Ref("/hydra/bots/mom_AAPL")

FEE = Decimal("0.011")
"""What the venue is taken to keep of one share that is bought, or sold."""
EACH = Decimal("0.75") + 2 * FEE
"""What one share would lose at a stop half a dollar below, with the gap and the fees."""


def most_within(times: list[int], duration: int) -> int:
    """The most of them within any such time."""
    return max((sum(at <= other < at + duration for other in times) for at in times), default=0)


def test_a_bot_that_decides_a_thousand_times_a_second_sends_no_more_than_its_rate_i16_i36() -> None:
    world = World(quiet(), settings=settings_with({"risk.max_orders_per_minute": 10}))
    life = begun(world)

    for number in range(3_000):
        life.enter(1 + number % 3, bot=("mom_AAPL", "mom_AAPL_cross")[number % 2], limit="97")
        life.advance(MILLISECOND)
    life.halt_by_operator()

    sent = world.came_at(Submit, leg="-e")
    assert most_within(sent, 1 * MINUTE) <= 6  # of one symbol
    assert most_within(sent, 1 * SECOND) <= 2  # one of each bot
    assert len(life.denials) == 3_000 - len(sent)
    assert set(life.denials) <= {
        "entry_gap_is_kept",
        "order_is_not_repeated",
        "symbol_entry_rate_is_within_limit",
    }
    # The kill comes through all that.
    assert len(world.asked(Cancel)) == len(sent)
    assert world.exchange.engine.open_orders == ()
    require_sound(world)
    require_agreement(world)


def test_the_rate_of_all_entries_holds_over_symbols_and_bots_i36() -> None:
    bars = [*bars_of([100.0] * 30), *bars_of([100.0] * 30, symbol="TSLA")]
    data = market_of(tuple(sorted(bars, key=lambda bar: bar.end_at)))
    world = World(data, settings=with_tsla({}))
    life = begun(world)

    for number in range(40):
        life.enter(1 + number % 7, limit="97")
        if number % 2:
            life.enter(1 + number % 7, bot="mom_TSLA", symbol="TSLA", limit="97")
        life.run_for(1100 * MILLISECOND)

    assert most_within(world.came_at(Submit, leg="-e"), 1 * MINUTE) == 10
    assert {"entry_rate_is_within_limit", "symbol_entry_rate_is_within_limit"} <= set(life.denials)
    require_sound(world)


def with_tsla(changes: dict[str, object]) -> Any:
    settings = settings_with(changes)
    bots = tuple(
        bot.model_copy(update={"enabled": bot.bot_id != "mom_AAPL_cross"})
        for bot in settings.momentum_bots
    )
    return settings.model_copy(update={"momentum_bots": bots})


@pytest.mark.parametrize(
    ("quantity", "wishes", "check"),
    [
        (251, {"protective_stop": "99.99"}, "order_value_is_within_limit"),
        (250, {"protective_stop": "99.99"}, None),
        (1, {"limit": "95.00"}, None),
        (1, {"limit": "94.99"}, "prices_are_within_collar"),
        (1, {"limit": "105.01", "protective_stop": "99"}, "prices_are_within_collar"),
        (1, {"limit": "97.005"}, "prices_are_on_step"),
        (1, {"reference": "94"}, "prices_are_within_collar"),
        (1, {"protective_stop": "100"}, "protective_stop_is_behind_price"),
        (1, {"symbol": "MSFT"}, "symbol_is_allowed"),
        (1, {"bot": "nobody"}, "symbol_is_allowed"),
        (0, {}, "numbers_are_sane"),
        (1, {"side": Side.SELL}, None),
    ],
)
def test_an_order_at_its_limit_passes_and_one_beyond_does_not_i31_i34_i35_i42(
    quantity: int, wishes: dict[str, Any], check: str | None
) -> None:
    world = World(quiet())
    life = begun(world)

    name = life.enter(quantity, **wishes)

    if check is None and "side" not in wishes:
        assert (life.denials, world.submitted) == ([], [name])
    elif check is not None:
        assert (life.denials, world.submitted) == ([check], [])
    else:  # a short: allowed by us, refused by this account
        assert life.status_of(name) in (None, "rejected")
    require_sound(world)


def test_without_a_price_that_is_fresh_nothing_is_entered_and_a_position_can_be_left_i35() -> None:
    world = World(quiet(10))
    life = begun(world)
    life.enter(3)
    life.run_to(OPEN_AT + 10 * MINUTE)
    life.advance(151 * SECOND)  # the feed has fallen silent; its alarm would come a little later

    life.enter(1, reference="100", bot="mom_AAPL_cross")
    gone = life.exit(3)

    assert life.denials in (["price_is_fresh"], ["trading_is_open"], ["trading_is_open"] * 2)
    if life.denials == ["price_is_fresh"]:
        assert life.status_of(gone) == "accepted"
    require_sound(world)


def test_the_worst_case_exposure_is_never_above_its_limit_at_the_venue_i31() -> None:
    data = market_of(bars_of([100.0, 101.0, 99.5, 100.5, 102.0, 98.0] * 8))
    world = World(
        data, settings=settings_with({**WIDE, "guards.exposure.max_symbol_usd": Decimal(10_000)})
    )
    life = begun(world)

    for number in range(120):
        bot = ("mom_AAPL", "mom_AAPL_cross")[number % 2]
        price = str(world.newest_bar.close)
        match number % 5:
            case 0 | 1:
                life.enter(17 + number % 13, bot=bot, reference=price, protective_stop="95")
            case 2 | 3:
                limit = str(Decimal(price) - 2)
                life.enter(
                    11 + number % 7, bot=bot, reference=price, limit=limit, protective_stop="95"
                )
            case _:
                held = life.positions.get(f"{bot} AAPL", 0)
                if held:
                    life.exit(int(held), bot=bot)
        life.run_for(20 * SECOND)

    # At a price that rises while it is held, what was within may come to be above: nothing is
    # added then, which the margin of the last price shows.
    assert len(world.came_at(Submit, leg="-e")) > 20
    assert "symbol_exposure_is_within_limit" in life.denials
    assert max(exposures(world)) <= Decimal(10_000) * Decimal("1.05")
    require_sound(world)
    require_agreement(world)


@pytest.mark.parametrize("times", [2, 5])
def test_one_decision_that_comes_again_is_one_order_i16(times: int) -> None:
    world = World(quiet())
    life = begun(world)

    names = {life.enter(3, signal=7) for _ in range(times)}
    life.run_for(3 * MINUTE)
    names |= {life.enter(3, signal=7, reference="100")}

    assert len(names) == 1
    assert world.submitted == [*names]
    assert len(life.journal.events("intent_repeated")) == times
    assert life.positions == {"mom_AAPL AAPL": 3}
    require_sound(world)
    require_agreement(world)


def test_two_entries_alike_within_five_seconds_are_one_mistake_i16() -> None:
    world = World(quiet())
    life = begun(world)

    life.enter(3, limit="97")
    life.run_for(4999 * MILLISECOND)
    life.enter(3, limit="97")
    life.enter(2, limit="97")  # another quantity is another order
    life.run_for(1 * MILLISECOND)
    life.run_for(1 * SECOND)
    life.enter(3, limit="97")

    assert life.denials == ["order_is_not_repeated"]
    assert len(world.submitted) == 3


def test_three_rejections_in_a_row_stop_the_symbol_until_a_person_has_looked_i39(
    tmp_path: Path,
) -> None:
    # The market refuses them late, after the venue has accepted them.
    world = World(
        quiet(), plan_of(struck(RejectLater(), times=3)), ledger_path=tmp_path / "ledger.db"
    )
    life = begun(world)
    for number in range(3):
        life.enter(1 + number)
        life.run_for(1 * MINUTE)
    stopped = life.causes
    life.die()

    life = begun(world)
    life.run_for(1 * MINUTE)
    after_restart = life.causes
    life.enter(4)
    noted = life.resume("rejections:AAPL")
    life.run_for(10 * SECOND)
    allowed = life.enter(4)

    assert stopped == after_restart == {"rejections:AAPL": CLOSE_ONLY}
    assert life.denials == ["trading_is_open"]
    assert noted.noted == ("rejections:AAPL",)
    assert (life.causes, life.status_of(allowed)) == ({}, "accepted")
    require_sound(world)
    require_agreement(world)


def test_one_rejection_that_is_told_in_two_wordings_counts_once_also_after_a_restart_i38_i39(
    tmp_path: Path,
) -> None:
    world = World(
        quiet(60), plan_of(struck(RejectLater(), times=3)), ledger_path=tmp_path / "ledger.db"
    )
    life = begun(world)
    for number in range(2):
        name = life.enter(1 + number)
        life.run_for(1 * MINUTE)
        fuller = "the market refused it, and this is what it says of that at greater length"
        told_again = OrderRejected(client_order_id=name, reason=fuller, at=life.now)
        life.tell(paths.BROKER_GATEWAY, told_again)
        life.run_for(1 * MINUTE)
        assert life.told("OrderRejected")[-1] == told_again  # it is on record all the same
    after_two = life.causes
    life.die()

    life = begun(world)
    life.run_for(1 * MINUTE)
    after_restart = life.causes
    life.enter(3)
    life.run_for(1 * MINUTE)

    assert after_two == after_restart == {}
    assert life.causes == {"rejections:AAPL": CLOSE_ONLY}
    require_sound(world)
    require_agreement(world)


def test_rejections_that_a_person_has_looked_into_count_no_more_after_a_restart_i38_i39(
    tmp_path: Path,
) -> None:
    world = World(
        quiet(60), plan_of(struck(RejectLater(), times=5)), ledger_path=tmp_path / "ledger.db"
    )
    life = begun(world)
    for number in range(3):
        life.enter(1 + number)
        life.run_for(1 * MINUTE)
    life.resume("rejections:AAPL")
    resumed = life.causes
    life.die()

    life = begun(world)
    life.run_for(1 * MINUTE)
    for number in range(3):
        life.enter(4 + number)
        life.run_for(1 * MINUTE)
        if number == 0:
            life.tell(paths.RISK_GUARDIAN, RecordChanged())  # it reads the record once more
            life.run_for(1 * MINUTE)

    assert (resumed, life.denials, life.causes) == ({}, [], {})
    assert [world.submitted.count(name) for name in {*world.submitted}] == [1] * 6
    assert life.positions == {"mom_AAPL AAPL": 6}  # the sixth; two refusals are no row of three
    require_sound(world)
    require_agreement(world)


def test_an_acceptance_that_is_followed_by_a_late_rejection_does_not_begin_the_count_anew_i39() -> (
    None
):
    # Every order is accepted first and rejected by the market a minute later.
    world = World(quiet(), plan_of(struck(RejectLater(), times=None)))
    life = begun(world)

    for number in range(6):
        life.enter(1 + number)
        life.run_for(1 * MINUTE)

    assert len(world.came_at(Submit, leg="-e")) == 3
    assert life.causes == {"rejections:AAPL": CLOSE_ONLY}
    require_sound(world)


def test_a_bot_that_buys_and_sells_in_a_loop_is_stopped_and_stays_so_after_a_restart_i38_i39(
    tmp_path: Path,
) -> None:
    settings = settings_with({"guards.pace.max_round_trips_per_bot_per_day": 4})
    world = World(quiet(60), settings=settings, ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    for number in range(6):
        life.enter(1 + number)
        life.run_for(1 * MINUTE)
        if life.positions:
            life.exit(1 + number)
            life.run_for(1 * MINUTE)
        if number == 1:
            life.die()
            life = begun(world)
            life.run_for(1 * MINUTE)

    assert len(world.came_at(Submit, leg="-e")) == 4
    assert life.causes == {"throttle:mom_AAPL": CLOSE_ONLY}
    assert set(life.denials) == {"trading_is_open"}
    assert life.status_of(life.enter(1, bot="mom_AAPL_cross")) == "accepted"
    life.die()
    life = begun(world)
    life.run_for(1 * MINUTE)
    life.enter(1)
    assert life.denials == ["trading_is_open"]
    assert life.causes == {"throttle:mom_AAPL": CLOSE_ONLY}
    require_sound(world)
    require_agreement(world)


def test_a_bot_that_a_person_lets_go_on_may_make_as_many_round_trips_again_i38_i39(
    tmp_path: Path,
) -> None:
    settings = settings_with({"guards.pace.max_round_trips_per_bot_per_day": 2})
    world = World(quiet(60), settings=settings, ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    two_round_trips(life)
    life.enter(5)
    stopped = (life.causes, life.denials)
    life.resume("throttle:mom_AAPL")
    life.run_for(1 * MINUTE)
    resumed = life.causes
    life.die()

    life = begun(world)
    life.run_for(1 * MINUTE)
    two_round_trips(life)
    life.enter(5)

    assert stopped == ({"throttle:mom_AAPL": CLOSE_ONLY}, ["trading_is_open"])
    assert resumed == {}
    assert len(world.came_at(Submit, leg="-e")) == 4
    assert (life.causes, life.denials) == stopped  # and then it waits for a person once more
    require_sound(world)
    require_agreement(world)


def two_round_trips(life: Life) -> None:
    for number in (1, 2):
        life.enter(number)
        life.run_for(1 * MINUTE)
        life.exit(number)
        life.run_for(1 * MINUTE)


def test_a_round_trip_of_a_bot_counts_whatever_others_hold_i39() -> None:
    settings = settings_with({"guards.pace.max_round_trips_per_bot_per_day": 1})
    world = World(quiet(60), settings=settings)
    life = begun(world)
    life.enter(1, bot="mom_AAPL_cross")
    life.run_for(1 * MINUTE)
    life.enter(2)
    life.run_for(1 * MINUTE)

    life.exit(2)
    life.run_for(1 * MINUTE)

    assert life.positions == {"mom_AAPL_cross AAPL": 1}
    assert life.causes == {"throttle:mom_AAPL": CLOSE_ONLY}


def test_an_exit_that_is_decided_again_is_approved_once_i16() -> None:
    life = begun(World(quiet(60)))
    life.enter(2)
    life.run_for(1 * MINUTE)

    for _ in range(2):
        life.exit(1, signal=7)
        life.run_for(1 * MINUTE)

    approved = life.journal.events("order_approved")
    repeated = life.journal.events("intent_repeated")
    assert (len(approved), len(repeated)) == (2, 1)
    assert life.positions == {"mom_AAPL AAPL": 1}


RISING = market_of(bars_of([100.0] * 3 + rising(27)))
"""The bot decides to enter at minute 11."""


@pytest.mark.parametrize(("lives", "working"), [(False, []), (True, ["entry 1: 3"])])
def test_a_bot_that_decides_what_is_known_is_told_what_became_of_it_i16(
    lives: bool, working: list[str]
) -> None:
    # Its first decision was taken in its name already, and it has heard nothing of it.
    world = World(RISING)
    life = world.begin()
    life.run_to(OPEN_AT + 9 * MINUTE)
    unheard = Edge(receiver=BOT, message=ReportStored)
    hear_again = life.runtime.add_filter(
        disturbing(unheard, lost, count=None, probability=1, dice=random.Random(0))
    )
    known = life.enter(3, signal=1, limit="97")
    life.run_for(1 * MINUTE)
    if not lives:
        life.tell(paths.BROKER_GATEWAY, CancelOrder(client_order_id=known, reason="a test"))
    life.run_to(OPEN_AT + 10 * MINUTE + 30 * SECOND)
    hear_again()

    life.run_to(OPEN_AT + 11 * MINUTE + 30 * SECOND)

    assert len(life.journal.events("intent_repeated")) == 1
    assert life.view(BOT)["working"] == working
    assert (life.view(BOT)["signals_today"], world.submitted) == (1, [known])
    require_sound(world)
    require_agreement(world)


def test_each_judgement_names_the_configuration_that_it_was_made_by_i28_i81_i90() -> None:
    world = World(quiet(60))
    life = begun(world)
    life.enter(1)
    life.enter(1)  # as the last one

    judged = [*life.journal.events("order_approved"), *life.journal.events("order_denied")]

    assert [(each["event"], each["configuration"]) for each in judged] == [
        ("order_approved", world.settings.digest),
        ("order_denied", world.settings.digest),
    ]


def test_the_limits_of_a_day_hold_with_a_restart_between_every_two_orders_i38(
    tmp_path: Path,
) -> None:
    settings = settings_with({"guards.pace.max_entries_per_day": 5})
    world = World(quiet(60), settings=settings, ledger_path=tmp_path / "ledger.db")
    denied: list[str] = []
    for number in range(8):
        life = begun(world)
        life.run_for(1 * MINUTE)
        life.enter(1 + number, limit="97")
        denied += life.denials
        life.die()

    assert len(world.came_at(Submit, leg="-e")) == 5
    assert denied == ["entries_today_are_within_limit"] * 3


def test_rates_of_the_last_minute_hold_with_a_restart_between_every_two_orders_i36_i38(
    tmp_path: Path,
) -> None:
    world = World(quiet(60), ledger_path=tmp_path / "ledger.db")
    denied: list[str] = []
    begun(world).die()
    for number in range(10):
        life = world.begin(with_bots=False)  # takes five seconds
        life.run_for(1 * SECOND)
        while not life.view(paths.RISK_GUARDIAN)["equity"]:
            life.run_for(1 * SECOND)
        life.enter(1 + number, limit="97")
        denied += life.denials
        life.die()

    assert most_within(world.came_at(Submit, leg="-e"), 1 * MINUTE) <= 6
    require_what_was_denied(denied)


def require_what_was_denied(denied: list[str]) -> None:
    assert set(denied) <= {"symbol_entry_rate_is_within_limit", "price_is_known"}


def test_what_is_reserved_and_lost_is_counted_to_the_cent_after_a_restart_i33_i38(
    tmp_path: Path,
) -> None:
    # One order rests, one position is open, one round trip has lost.
    data = market_of(bars_of([100.0] * 8 + [99.5] * 30))
    world = World(data, ledger_path=tmp_path / "ledger.db")
    life = begun(world)
    life.enter(10)
    life.run_to(OPEN_AT + 10 * MINUTE)
    life.exit(10)
    life.run_to(OPEN_AT + 12 * MINUTE)
    life.enter(4, reference="99.5", protective_stop="99")
    life.enter(2, bot="mom_AAPL_cross", reference="99.5", limit="97")
    life.run_to(OPEN_AT + 14 * MINUTE)
    before = counted(life)
    life.die()

    life = begun(world)
    life.run_for(2 * MINUTE)

    assert counted(life) == before
    assert before["positions"] == {"mom_AAPL AAPL": "4"}
    require_sound(world)
    require_agreement(world)


def counted(life: Life) -> dict[str, Any]:
    view = life.view(paths.RISK_GUARDIAN)
    keys = (
        "positions",
        "open_orders",
        "equity",
        "day_start",
        "peak",
        "exposure",
        "heat",
        "budgets",
        "drawdown_state",
    )
    return {key: view[key] for key in keys}


def test_a_reservation_ends_with_the_order_and_what_is_left_is_that_of_the_position_i33() -> None:
    world = World(quiet())
    life = begun(world)
    free = life.heat

    resting = life.enter(3, limit="97")
    reserved = life.heat
    life.halt_by_operator()  # takes it out
    life.resume()
    life.run_for(10 * SECOND)
    released = life.heat
    life.enter(3)
    while_it_works = life.heat
    life.run_for(2 * MINUTE)
    held = life.heat
    life.exit(3)
    life.run_for(2 * MINUTE)

    assert life.status_of(resting) == "canceled"
    assert {Decimal(free), Decimal(released), Decimal(life.heat)} == {Decimal(0)}
    assert Decimal(reserved) > 0
    # Three shares, half a dollar, the gap of one and a half times that, and 1.1 cents a share of
    # fees for each side that is still to be traded.
    assert Decimal(while_it_works) == Decimal("2.25") + 3 * 2 * FEE
    assert Decimal(held) == Decimal("2.25") + 3 * FEE
    require_sound(world)


def test_opposite_intents_of_two_bots_never_meet_and_the_exit_goes_first_i42() -> None:
    world = World(quiet())
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)
    entry = life.enter(2, bot="mom_AAPL_cross", limit="99")

    denied = life.exit(3)
    after_the_cancel = life.status_of(entry)
    passed = life.exit(3)
    too_late = life.enter(2, bot="mom_AAPL_cross", limit="98")

    assert life.status_of(denied) is None
    assert (after_the_cancel, life.status_of(passed)) == ("canceled", "accepted")
    assert life.status_of(too_late) is None
    assert life.denials == ["no_order_opposes", "no_order_opposes"]
    life.run_for(2 * MINUTE)
    assert life.positions == {}
    rejected = [each for each in life.told("OrderRejected") if "wash" in each.reason]
    assert rejected == []
    require_sound(world)
    require_agreement(world)


def test_a_bot_must_not_sell_what_another_holds_i09_i42() -> None:
    world = World(quiet())
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)

    life.exit(3, bot="mom_AAPL_cross")
    life.intend(bot="mom_AAPL_cross", side=Side.SELL, quantity=1, protective_stop="101")

    assert life.denials == ["exit_reduces_position", "entry_does_not_oppose_position"]
    assert life.positions == {"mom_AAPL AAPL": 3}


def test_an_operators_flatten_cannot_be_sent_by_anybody_else_i09() -> None:
    world = World(quiet())
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)

    life.intend(role=Role.FLATTEN, side=Side.SELL, quantity=3)

    assert life.denials == ["flatten_is_the_operators"]
    assert world.positions == {"AAPL": 3}


def test_a_replacement_counts_beside_what_it_replaces_until_one_of_them_is_over_i26_i31() -> None:
    settings = settings_with({"guards.exposure.max_symbol_usd": Decimal(1_000)})
    world = World(quiet(), settings=settings)
    life = begun(world)
    old = life.enter(6, limit="97")
    life.run_for(6 * SECOND)

    life.enter(5, limit="96", replaces=old)
    life.run_for(6 * SECOND)
    new = life.enter(4, limit="96", replaces=old)

    assert life.denials == ["symbol_exposure_is_within_limit"]
    assert (life.status_of(old), life.status_of(new)) == ("replaced", "accepted")
    assert len(set(world.submitted)) == 2
    require_sound(world)
    require_agreement(world)


class SlowMarket:
    """A market clock that runs a million times too slowly, so that no price grows old."""

    def __init__(self, at: int) -> None:
        self._at, self._began = at, machine_time()

    def at(self, machine_ns: int) -> int:
        return self._at + (machine_ns - self._began) // 1_000


def unhurried(engine: Engine) -> ChildSpec:
    """The tree without bots, with a guardian whom no rate keeps from approving."""
    root = without_bots(engine)
    core, *others = root.args["children"]
    children = [
        structs.replace(child, args={**child.args, "terms": without_rates(child.args["terms"])})
        if child.name == paths.RISK_GUARDIAN.name
        else child
        for child in core.args["children"]
    ]
    core = structs.replace(core, args={**core.args, "children": tuple(children)})
    return structs.replace(root, args={**root.args, "children": (core, *others)})


def without_rates(terms: GuardianTerms) -> GuardianTerms:
    limits = structs.replace(
        terms.desk.limits,
        entries_per_minute_max=10_000,
        entries_per_minute_symbol_max=10_000,
        entry_gap_ns_min=1,
        similar_order_ns=1,
    )
    return structs.replace(terms, desk=structs.replace(terms.desk, limits=limits))


@pytest.mark.parametrize("each", [20, pytest.param(1_500, marks=pytest.mark.slow)])
def test_64_threads_that_decide_at_once_reserve_no_more_than_was_granted_and_it_stays_so_i31_i32(
    tmp_path: Path, each: int
) -> None:
    # Real threads, the real guardian and ledger. Each order would lose 0.772 USD at its
    # stop, fees included, each bot was granted 125 USD, and nothing but that stands in the way.
    settings = settings_with(
        {
            **WIDE,
            "risk.global_max_daily_loss_pct": Decimal("1.0"),
            # A guardian that is told so much at once answers nobody in time, which would halt.
            "runner.loop_interval_seconds": 300,
            # Until it is told of regimes, it goes by the least share.
            "monitoring.regimes.risk_pct.elevated": Decimal(100),
            "monitoring.regimes.risk_pct.high": Decimal(100),
        }
    )
    world = World(quiet(), settings=settings, ledger_path=tmp_path / "ledger.db")
    begun(world).die()
    journal, ledger = ListJournal(), world.open_ledger()
    runtime = ThreadRuntime(journal=paths.JOURNAL_WRITER, market_clock=SlowMarket(world.now))
    try:
        engine = assemble(
            settings,
            world.data,
            runtime=runtime,
            market_time=lambda: world.now,
            ledger=ledger,
            journal=journal,
            exchange=world.exchange,
        )
        runtime.start_watch()
        assert runtime.start_and_wait(unhurried(engine), within=10)
        newest = world.newest_bar
        runtime.tell(paths.RISK_GUARDIAN, BarsClosed(bars=(newest,)))
        armed = threading.Event()
        while runtime.gate.state is not TradingState.ACTIVE or runtime.gate.lease_left() <= 0:
            assert not armed.wait(0.01), "nobody sets it: it is a pause"

        def decide(thread: int) -> None:
            voice = runtime.outside(f"thread {thread}")
            bot = ("mom_AAPL", "mom_AAPL_cross")[thread % 2]
            for number in range(each):
                intent = entry(bot, 1_000_000 * (thread + 1) + number, world.now)
                voice.tell(paths.RISK_GUARDIAN, intent)

        threads = [threading.Thread(target=decide, args=(number,)) for number in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert runtime.settle(within=50)
        assert runtime.stop_tree("the test is over", within=10)
    finally:
        runtime.close()
        ledger.close()
    world.lives[-1].lines_after = len(world.log.lines)

    approved, denied = journal.events("order_approved"), journal.events("order_denied")
    assert len(approved) + len(denied) == 64 * each
    assert {record["check"] for record in denied} == {"bot_budget_covers_loss"}
    for bot in ("mom_AAPL", "mom_AAPL_cross"):
        reserved = reserved_over_time(journal, bot)
        assert max(reserved) <= 125 < reserved[-1] + EACH
    assert len(world.submitted) == len(set(world.submitted)) == 2 * 161

    life = begun(world)
    life.run_to(OPEN_AT + 6 * MINUTE + 50 * SECOND)
    assert life.causes == {}
    assert Decimal(life.heat) == 2 * 161 * EACH
    life.run_to(OPEN_AT + 8 * MINUTE)  # all of them are filled, and their buying is paid for
    life.enter(4)
    assert life.denials == ["bot_budget_covers_loss"]
    assert sum(life.positions.values()) == 2 * 161
    require_agreement(world)


def reserved_over_time(journal: ListJournal, bot: str) -> list[Decimal]:
    """What is reserved for a bot after each approval, and each order that a busy machine withheld
    because the lease had run out.
    """
    total, over_time = Decimal(0), []
    for record in journal.records:
        if record["event"] == "order_approved" and record["intent"].decision.bot == bot:
            total += record["situation"].book.loss_at_stop
        elif record["event"] == "report_stored" and record["report"] == "OrderWithheld":
            total -= EACH * (record["decision"].bot == bot)
        over_time.append(total)
    return over_time


def entry(bot: str, signal: int, at: int) -> OrderIntent:
    return OrderIntent(
        decision=DecisionKey(bot, "AAPL", "2016-04-15", signal, Role.ENTRY),
        side=Side.BUY,
        quantity=Decimal(1),
        reason="a test",
        decided_at=at,
        reference_price=Decimal(100),
        protective_stop=Decimal("99.5"),
    )
