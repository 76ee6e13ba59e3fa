"""The engine on threads, in a market that runs, killed at any instant: as it would be at a desk.

What comes when is not in anybody's hand here, so it is the judge's word that counts, and what was
acknowledged to somebody before the end. The sleeps are the drawn instants: nothing is waited for.
"""

import random
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.store.events import EngineStarted
from hydra.trading.causes import API_FAILURES, RESTART_STORM
from hydra.trading.order_life import OrderStatus
from hydra.venues.simulated.market_data import MarketData
from tests.crash.lives import ROOT, WITHIN_S
from tests.crash.trading import Trader, wait_until
from tests.crash.watching import (
    MANY,
    PHASES,
    ROOM_FOR_MANY,
    asked_to_halt,
    has_said,
    sent_after,
    tell_gateway,
)

# Several lives each, in which market time waits for an engine on a machine that may be busy.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SPEED = 1_500
"""A session takes sixteen seconds, a bar of it 40 ms. A start, of two processes, takes three."""
LAST_SPEED = 3_000
"""Of the run that comes to the end: only what stands then is looked at."""

GONE_WITHIN_S = 10.0
"""T_STOP."""
ARRIVES_WITHIN_S = 0.25


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_instant_nothing_is_sent_twice_and_nothing_is_lost_i13_i20_i23_i52_i61(
    seed: int, trader: Trader
) -> None:
    dice = random.Random(seed)
    for _ in range(1 + seed % 3):
        with trader.running(SPEED):
            time.sleep(0.4 + 5.0 * dice.random())
        trader.require_sound(f"seed {seed}")

    assert trader.plays_on(LAST_SPEED) == ExitCode.CLEAN
    trader.require_settled()


@pytest.mark.parametrize("seed", range(4))
def test_a_halt_that_was_acknowledged_outlives_the_kill_that_follows_at_once_i01_i02(
    seed: int, trader: Trader
) -> None:
    dice = random.Random(seed)
    with trader.running(SPEED) as engine:
        assert wait_until(trader.files.control_socket.exists, engine)
        assert wait_until(lambda: bool(trader.sent), engine)
        time.sleep(dice.random())
        told = asked_to_halt(trader)
        engine.send_signal(signal.SIGKILL)
    assert (told["acknowledged"], told["on_record"]) == (True, "ledger")
    halted, sent = trader.halts["operator-halt"], trader.sent

    # With the market gone on, and once more.
    assert trader.plays_on(SPEED) == ExitCode.PREFLIGHT_FAILED
    assert trader.plays_on(SPEED) == ExitCode.PREFLIGHT_FAILED

    assert (trader.halts["operator-halt"], trader.sent) == (halted, sent)
    trader.require_sound(f"seed {seed}")
    assert trader.says("resume", "--reason", "seen to") == ExitCode.CLEAN
    assert trader.plays_on(LAST_SPEED) == ExitCode.CLEAN
    trader.require_settled()


@pytest.mark.parametrize("seed", range(5))
def test_killed_while_an_operator_halts_it_is_halted_if_he_was_told_so_i02_i03(
    seed: int, trader: Trader
) -> None:
    dice = random.Random(seed)
    with trader.running(SPEED) as engine:
        assert wait_until(lambda: bool(trader.sent), engine)
        word = trader.begins_to_say("halt", "--reason", "a drill")
        time.sleep(0.25 + 1.0 * dice.random())
    told = word.wait(timeout=GONE_WITHIN_S)
    halted = "operator-halt" in trader.halts
    trader.require_sound(f"seed {seed}")

    # Where the engine is gone before it answers, the verb puts it on record itself.
    assert halted or told != ExitCode.CLEAN
    assert trader.plays_on(SPEED) == (ExitCode.PREFLIGHT_FAILED if halted else ExitCode.CLEAN)
    trader.require_sound(f"seed {seed}")


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_file_at_any_instant_lets_nothing_out_and_its_latch_outlives_it_i01_i04_i07(
    seed: int, trader: Trader
) -> None:
    dice = random.Random(seed)
    with trader.running(SPEED) as engine:
        assert wait_until(lambda: bool(trader.sent), engine)
        time.sleep(0.5 * dice.random())
        trader.files.kill_switch.write_text(dice.choice(["halt_all\n", "what?\n", ""]))
        written = time.time()
        time.sleep(2.0 * dice.random())
    assert sent_after(trader, written + 1.0) == []
    trader.require_sound(f"seed {seed}")

    trader.files.kill_switch.unlink()
    latched = "kill_switch:state_file" in trader.halts
    code = trader.plays_on(SPEED)

    assert code == (ExitCode.PREFLIGHT_FAILED if latched else ExitCode.CLEAN)
    trader.require_sound(f"seed {seed}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.__name__)
def test_asked_to_stop_in_any_phase_it_sends_nothing_more_and_is_gone_in_time_i76(
    phase: Callable[[Trader], bool], number: signal.Signals, trader: Trader
) -> None:
    with trader.running(SPEED) as engine:
        assert wait_until(lambda: phase(trader), engine)
        asked = time.time()
        engine.send_signal(number)
        code = engine.wait(timeout=GONE_WITHIN_S)

    # Before it has begun it just ends.
    assert code in (ExitCode.CLEAN, -number)
    require_stopped_at(trader, asked)


@pytest.mark.parametrize("seed", range(4))
def test_asked_to_stop_at_any_instant_and_again_or_killed_it_loses_nothing_i52_i76(
    seed: int, trader: Trader
) -> None:
    dice = random.Random(seed)
    with trader.running(SPEED) as engine:
        time.sleep(0.2 + 5.0 * dice.random())
        asked = time.time()
        engine.terminate()
        time.sleep(0.3 * dice.random() ** 2)
        engine.send_signal((signal.SIGTERM, signal.SIGKILL)[seed % 2])
        engine.wait(timeout=GONE_WITHIN_S)

    require_stopped_at(trader, asked)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGHUP, ExitCode.CLEAN),
        *((number, -number) for number in (signal.SIGUSR1, signal.SIGQUIT, signal.SIGSEGV)),
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else "",
)
def test_each_other_signal_stops_it_in_order_or_at_once_and_nothing_is_lost_i52_i76_i83(
    number: signal.Signals, code: int, trader: Trader
) -> None:
    cores = set(ROOT.glob("core*"))
    with trader.running(SPEED) as engine:
        assert wait_until(lambda: bool(trader.sent), engine)
        asked = time.time()
        engine.send_signal(number)
        assert engine.wait(timeout=GONE_WITHIN_S) == code

    assert set(ROOT.glob("core*")) == cores
    assert sent_after(trader, asked + ARRIVES_WITHIN_S) == []
    trader.require_sound()
    assert trader.plays_on(LAST_SPEED) == ExitCode.CLEAN
    trader.require_sound()  # an order that never arrived may not be given up yet


@pytest.mark.parametrize("seed", range(3))
def test_killed_while_it_takes_changed_settings_the_next_process_has_all_of_them_i52_i79_i81(
    seed: int, trader: Trader
) -> None:
    dice = random.Random(seed)
    with trader.running(SPEED) as engine:
        assert wait_until(lambda: bool(trader.sent), engine)
        trader.edit("max_orders_per_minute: 10 ", "max_orders_per_minute: 9 ")
        time.sleep(2.0 * dice.random())
    trader.require_sound(f"seed {seed}")

    assert trader.plays_on(LAST_SPEED) == ExitCode.CLEAN

    started = trader.life.runs[-1].started.event
    assert isinstance(started, EngineStarted)
    assert started.configuration == trader.settings_digest
    trader.require_sound(f"seed {seed}")


def test_a_broken_pipe_is_nothing_to_it(trader: Trader) -> None:
    with trader.running(SPEED) as engine:
        assert wait_until(lambda: bool(trader.sent), engine)
        engine.send_signal(signal.SIGPIPE)
        assert engine.wait(timeout=WITHIN_S) == ExitCode.CLEAN

    trader.require_settled()


def test_asked_to_stop_while_it_is_halted_it_is_halted_afterwards_i02_i76(trader: Trader) -> None:
    with trader.running(SPEED) as engine:
        assert wait_until(trader.files.control_socket.exists, engine)
        assert wait_until(lambda: bool(trader.sent), engine)
        asked_to_halt(trader)
        asked = time.time()
        engine.terminate()
        assert engine.wait(timeout=GONE_WITHIN_S) == ExitCode.CLEAN

    assert sent_after(trader, asked) == []
    assert trader.plays_on(SPEED) == ExitCode.PREFLIGHT_FAILED
    assert set(trader.halts) == {"operator-halt"}
    trader.require_sound()


def test_after_too_many_starts_that_were_killed_a_person_comes_first_i75(trader: Trader) -> None:
    for _ in range(4):
        with trader.running(SPEED, place="recovery.done") as engine:
            assert engine.wait(timeout=WITHIN_S) == -signal.SIGKILL

    assert trader.plays_on(SPEED) == ExitCode.PREFLIGHT_FAILED

    assert (set(trader.halts), trader.sent) == ({RESTART_STORM.code}, ())
    assert trader.says("resume", "--reason", "the disk was full") == ExitCode.CLEAN
    assert trader.plays_on(SPEED) == ExitCode.CLEAN
    assert trader.sent != ()
    trader.require_settled()


def test_a_storm_of_kills_while_it_trades_halts_too_i75(trader: Trader) -> None:
    for _ in range(4):
        passed = trader.said("preflight_passed") + 1
        with trader.running(SPEED) as engine:
            assert wait_until(partial(has_said, trader, "preflight_passed", passed), engine)
            time.sleep(0.4)
    sent = trader.sent

    assert trader.plays_on(SPEED) == ExitCode.PREFLIGHT_FAILED
    assert trader.plays_on(SPEED) == ExitCode.PREFLIGHT_FAILED

    assert (RESTART_STORM.code in trader.halts, trader.sent) == (True, sent)
    trader.require_sound()


def test_what_queues_before_a_gateway_that_is_stuck_when_the_process_dies_is_never_sent_i74(
    tmp_path: Path, market: MarketData, calendar: Path
) -> None:
    trader = Trader(tmp_path, market, calendar, bots=MANY, settings=ROOM_FOR_MANY)
    with trader.running(600) as engine:
        assert wait_until(lambda: has_said(trader, "preflight_passed"), engine)
        assert wait_until(trader.files.debug_socket.exists, engine)
        tell_gateway(trader, "suspend")
        assert wait_until(lambda: has_said(trader, "intent_stored", 20), engine)
    queued = set(trader.life.orders)
    assert trader.sent == ()

    assert trader.plays_on(SPEED) == ExitCode.CLEAN

    orders = trader.life.orders
    assert queued.isdisjoint(trader.sent)
    # To be given up takes half a minute of looks; until then nobody knows of them.
    given_up = {OrderStatus.UNKNOWN, OrderStatus.ABSENT}
    assert {orders[name].status for name in queued} <= given_up
    trader.require_sound()


def test_what_queues_before_a_gateway_that_is_stuck_is_withheld_when_it_goes_on_i01_i74(
    tmp_path: Path, market: MarketData, calendar: Path
) -> None:
    trader = Trader(tmp_path, market, calendar, bots=MANY, settings=ROOM_FOR_MANY)
    with trader.running(600) as engine:
        assert wait_until(lambda: has_said(trader, "preflight_passed"), engine)
        assert wait_until(trader.files.debug_socket.exists, engine)
        tell_gateway(trader, "suspend")
        assert wait_until(lambda: has_said(trader, "intent_stored", 20), engine)
        assert wait_until(trader.files.control_socket.exists, engine)
        asked_to_halt(trader)
        tell_gateway(trader, "resume")
        assert wait_until(lambda: has_said(trader, "OrderWithheld", 20), engine)

    assert trader.sent == ()
    assert {order.status for order in trader.life.orders.values()} == {OrderStatus.WITHHELD}
    trader.require_sound()


def require_stopped_at(trader: Trader, asked: float) -> None:
    assert sent_after(trader, asked + ARRIVES_WITHIN_S) == []
    trader.require_sound()
    assert trader.plays_on(LAST_SPEED) == ExitCode.CLEAN
    trader.require_settled()


@pytest.mark.parametrize("place", ["venue.request.arrived:3", "venue.request.logged:4"])
def test_a_venue_that_dies_under_the_engine_loses_no_order_and_doubles_none_i01_i20_i23_i61(
    place: str, trader: Trader
) -> None:
    # These places are the venue's own: it dies there, and each time that it was started again.
    with trader.running(SPEED, place=place) as engine:
        assert engine.wait(timeout=WITHIN_S) == ExitCode.CLEAN

    assert [line for line in trader.lines if "ended with signal 9" in str(line.fields)] != []
    assert trader.sent != ()
    # By the session's end it may have ended too: its time is over then, and the venue is back.
    recorded = [line.fields["code"] for line in trader.lines if line.event == "halt_recorded"]
    assert API_FAILURES.code in recorded
    trader.require_sound(place)
