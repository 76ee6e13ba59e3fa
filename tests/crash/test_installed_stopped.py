"""The installed program that is frozen, asked to stop, or started beside itself; and the judge.

The sleeps are the drawn instants, and times in which a process that is frozen has to stay so.
"""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from hydra.actor import SECOND
from hydra.ops.ending import ONE_REQUEST_S
from hydra.ops.exit_codes import ExitCode
from hydra.runtime.lease import LEASE
from hydra.trading.causes import CLOCK_FAULT
from hydra.trading.order_life import OrderStatus
from hydra.venues.simulated.market_data import MarketData
from tests.crash.installed import LAST_SPEED, SPEED, Installed
from tests.crash.lives import WITHIN_S
from tests.crash.trading import Running, wait_until
from tests.crash.watching import (
    MANY,
    PHASES,
    ROOM_FOR_MANY,
    has_said,
    sent_after,
    tell_gateway,
)
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LONGER_THAN_THE_LEASE_S = LEASE / SECOND + 1.0
ARRIVES_WITHIN_S = 0.25
GONE_WITHIN_S = 10.0
STARTS = 20


def test_frozen_past_the_lease_with_sends_about_to_happen_it_halts_and_sends_none_i01_i08_i74(
    tmp_path: Path, served: MarketData, calendar: Path
) -> None:
    trader = Installed(tmp_path, served, calendar, bots=MANY, settings=ROOM_FOR_MANY)
    with trader.alive(600) as engine:
        assert wait_until(partial(has_said, trader, "preflight_passed"), engine)
        assert wait_until(trader.files.debug_socket.exists, engine)
        tell_gateway(trader, "suspend")
        assert wait_until(partial(has_said, trader, "intent_stored", 20), engine)
        engine.send_signal(signal.SIGSTOP)
        # It waits in the socket: when the process wakes, the gateway is let go at once.
        go_on = threading.Thread(target=tell_gateway, args=(trader, "resume"))
        go_on.start()
        time.sleep(LONGER_THAN_THE_LEASE_S)
        engine.send_signal(signal.SIGCONT)
        go_on.join(GONE_WITHIN_S)
        assert wait_until(partial(has_said, trader, "OrderWithheld", 20), engine)

    assert trader.sent == ()
    assert {order.status for order in trader.life.orders.values()} == {OrderStatus.WITHHELD}
    assert CLOCK_FAULT.code in trader.halts
    trader.require_sound()


@pytest.mark.parametrize("seed", range(4))
def test_frozen_past_the_lease_at_any_instant_it_sends_nothing_more_until_it_is_resumed_i01_i08(
    seed: int, installed: Installed
) -> None:
    dice = random.Random(seed)
    with installed.alive(SPEED) as engine:
        assert wait_until(lambda: bool(installed.sent), engine)
        time.sleep(1.0 * dice.random())
        frozen = time.time()
        with frozen_process(engine):
            time.sleep(LONGER_THAN_THE_LEASE_S)
        assert wait_until(lambda: CLOCK_FAULT.code in installed.halts, engine)
        time.sleep(1.0 + dice.random())

    assert sent_after(installed, frozen + ARRIVES_WITHIN_S) == []
    installed.require_shut_until_resumed()


def test_while_one_is_frozen_another_is_refused_and_the_first_halts_when_it_wakes_i08_i57(
    installed: Installed,
) -> None:
    with installed.alive(SPEED) as engine:
        assert wait_until(lambda: bool(installed.sent), engine)
        with frozen_process(engine):
            frozen = time.time()
            assert installed.does("run", "--speed", str(SPEED)) == ExitCode.HELD_BY_ANOTHER
            said = installed.last_said()
            left_s = frozen + LONGER_THAN_THE_LEASE_S - time.time()
            time.sleep(max(0.0, left_s))
        assert wait_until(lambda: CLOCK_FAULT.code in installed.halts, engine)

    assert f"another engine (process {engine.pid} on " in said
    assert sent_after(installed, frozen + ARRIVES_WITHIN_S) == []
    installed.require_shut_until_resumed()


@pytest.mark.parametrize("starts", [2, STARTS])
def test_of_some_that_start_at_once_one_trades_and_the_others_say_who_i57(
    starts: int, installed: Installed
) -> None:
    with ExitStack() as held:
        running = [installed.starts("run", "--speed", str(SPEED)) for _ in range(starts)]
        for engine in running:
            held.callback(engine.kill)
        assert eventually(
            lambda: sum(engine.poll() is not None for engine in running) == starts - 1, WITHIN_S
        )
        (one,) = (engine for engine in running if engine.poll() is None)
        assert wait_until(lambda: bool(installed.sent), one)
        installed.end(one)
    others = [engine.poll() for engine in running if engine is not one]

    assert others == [ExitCode.HELD_BY_ANOTHER] * (starts - 1)
    said = installed.all_said().count(f"another engine (process {one.pid} on ")
    # Whoever asks before the holder has written its name hears that there is one.
    assert 0 < said <= starts - 1
    assert len(installed.life.runs) == 1
    installed.require_sound()


def test_a_lock_file_that_was_left_by_a_killed_engine_holds_nobody_up_i57(
    installed: Installed,
) -> None:
    with installed.alive(SPEED) as engine:
        assert wait_until(lambda: bool(installed.sent), engine)
    assert installed.files.lock.exists()

    assert installed.does("run", "--speed", str(LAST_SPEED)) == ExitCode.CLEAN
    installed.require_even()


def test_a_venue_that_outlives_its_engine_keeps_the_next_one_from_trading_on_it_i57_i60(
    installed: Installed,
) -> None:
    engine = installed.starts("run", "--speed", str(SPEED))
    try:
        assert wait_until(lambda: bool(installed.sent), engine)
        installed.freeze_venue()
        engine.kill()
        engine.wait(WITHIN_S)
        sent = installed.sent
        code = installed.does("run", "--speed", str(SPEED))
        said = installed.last_said()
    finally:
        installed.kill_venue()
        installed.end(engine)

    assert (code, installed.sent) == (ExitCode.PREFLIGHT_FAILED, sent)
    assert "the embedded venue ended with exit code" in said
    installed.require_sound()
    assert installed.does("run", "--speed", str(LAST_SPEED)) == ExitCode.CLEAN
    installed.require_even()


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.__name__)
def test_asked_to_stop_twice_and_then_killed_it_sends_nothing_more_and_loses_nothing_i52_i76(
    phase: Callable[[Installed], bool], seed: int, installed: Installed
) -> None:
    dice = random.Random(f"{seed} {phase.__name__}")
    with installed.alive(SPEED) as engine:
        assert wait_until(partial(phase, installed), engine)
        asked = time.time()
        engine.send_signal(signal.SIGTERM)
        time.sleep((ONE_REQUEST_S + 0.2 * dice.random()) * seed)  # before that it is the same one
        engine.send_signal(signal.SIGTERM)
        time.sleep(dice.random())
        engine.kill()
        code = engine.wait(timeout=GONE_WITHIN_S)

    # Before it has begun it just ends; the second signal ends it all.
    assert code in (ExitCode.CLEAN, -signal.SIGTERM, 128 + signal.SIGTERM, -signal.SIGKILL)
    assert sent_after(installed, asked + ARRIVES_WITHIN_S) == []
    installed.require_sound()
    assert installed.does("run", "--speed", str(LAST_SPEED)) == ExitCode.CLEAN
    installed.require_even()


@contextmanager
def frozen_process(process: Running) -> Iterator[None]:
    """It stands still in the block."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)
