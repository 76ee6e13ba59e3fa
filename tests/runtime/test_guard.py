"""Actor code in virtual time that reaches for the real world fails, whatever name it uses."""

import os
import random
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from random import choice as pick
from time import monotonic_ns
from time import time as what_is_it

import pytest

from hydra.actor import Context
from hydra.runtime.guard import Guard, Leak
from hydra.runtime.sim_runtime import SimRuntime
from tests.contracts.runtimes.actors import Do, DoUrgently, note, scripted
from tests.contracts.runtimes.driver import SimDriver, child

A = child("a")


class Stamp(datetime):
    """A datetime by another name."""


LEAKS: dict[str, Callable[[], object]] = {
    "time.time": time.time,
    "time.time, imported under another name": what_is_it,
    "time.monotonic_ns": monotonic_ns,
    "time.perf_counter": time.perf_counter,
    "time.sleep": lambda: time.sleep(0),
    "datetime.now": lambda: datetime.now(UTC),
    "datetime.now of a subclass": lambda: Stamp.now(UTC),
    "date.today": date.today,
    "random.random": random.random,
    "random.choice, imported under another name": lambda: pick([1, 2]),
    "random.gauss": lambda: random.gauss(0, 1),
    "a system random": lambda: random.SystemRandom().random(),
    "secrets": secrets.token_hex,
    "uuid4": uuid.uuid4,
    "uuid1": uuid.uuid1,
    "os.urandom": lambda: os.urandom(4),
    "a thread": lambda: threading.Thread(target=int).start(),
    "a timer thread": lambda: threading.Timer(1.0, int).start(),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
@pytest.mark.parametrize("kind", [Do, DoUrgently])
def test_a_leak_fails_the_actor(
    leak: Callable[[], object], kind: type[Do] | type[DoUrgently], log: list[str]
) -> None:
    system = SimDriver(SimRuntime(strict=True))
    system.start(scripted("a", log))

    system.tell(A, kind(action=lambda _ctx: leak()), note("on"))

    system.until_logged(log, "a#2 on")
    assert system.cell(A).last_failure().startswith("Leak: ")
    system.close()


def test_a_leak_in_the_constructor_or_in_start_is_one_too(log: list[str]) -> None:
    system = SimDriver(SimRuntime(strict=True))

    system.start(scripted("a", log, on_start=lambda _ctx: log.append(f"{time.time()}")))

    assert system.cell(A).last_failure().startswith("Leak: time.time() was called from an actor")
    system.close()


def test_every_leak_of_one_instant_is_found(log: list[str]) -> None:
    system = SimDriver(SimRuntime(strict=True))
    system.start(scripted("a", log), scripted("b", log))
    leak = Do(action=lambda _ctx: time.time())

    system.tell(A, leak)
    system.tell(child("b"), leak)
    system.runtime.settle()

    assert system.cell(A).failed_count == system.cell(child("b")).failed_count == 1
    system.close()


def test_what_the_context_gives_is_no_leak(log: list[str]) -> None:
    system = SimDriver(SimRuntime(strict=True))
    system.start(scripted("a", log))
    got: list[object] = []

    def use(ctx: Context) -> None:
        got.extend((ctx.now(), ctx.market_time(), ctx.rng.random(), ctx.rng.choice("ab")))
        got.extend((ctx.new_id(), random.Random(5).random(), datetime.fromtimestamp(0, UTC)))

    system.tell(A, Do(action=use), note("on"))

    system.until_logged(log, "a#1 on")
    assert len(got) == 7
    system.close()


def test_children_may_be_spawned_under_the_guard(log: list[str]) -> None:
    system = SimDriver(SimRuntime(strict=True))
    system.start(scripted("a", log))

    system.tell(A, Do(action=lambda ctx: ctx.spawn(scripted("kid", log))))

    system.until_logged(log, "start kid#1")
    system.close()


def test_without_strictness_nothing_is_watched(log: list[str]) -> None:
    system = SimDriver(SimRuntime())
    system.start(scripted("a", log))

    system.tell(A, Do(action=lambda _ctx: time.time()), note("on"))

    system.until_logged(log, "a#1 on")
    system.close()


def test_outside_the_handling_of_messages_nothing_is_watched() -> None:
    guard = Guard(enabled=True)
    before = sys.getprofile()
    with guard.watching():
        with pytest.raises(Leak):
            time.time()
        with guard.lifted():
            time.time()
    time.time()
    assert sys.getprofile() is before
