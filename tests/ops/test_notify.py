"""What the service manager is told: the truth, over a real socket, and never at trading's cost."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import SECOND, Backoff
from hydra.ops.notify import PERIOD_S, STATUS_LENGTH_MAX, ServiceNotifier
from hydra.runtime.clock import machine_time
from hydra.runtime.gate import NO_LEASE, UNLIMITED_LEASE
from hydra.runtime.lease import DETECT_WITHIN, LEASE, RENEW_EVERY, LeaseKeeper
from hydra.runtime.runtime import Runtime
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from tests.contracts.runtimes.actors import Do, boom, scripted
from tests.contracts.runtimes.driver import SimDriver, ThreadDriver, child
from tests.kernel_fixtures import log, registry_is_left_empty

__all__ = ["log", "registry_is_left_empty"]

WITHIN_S = 10.0
A, B = child("a"), child("b")
SLOW = Backoff(base=10 * SECOND, cap=10 * SECOND)
HALT = Cause(
    code="operator-halt",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=1,
    detail="a test",
)


class Manager:
    """A service manager's socket, and the lines that have come."""

    def __init__(self, address: str, watchdog_s: float | None = None) -> None:
        self.environ = {"NOTIFY_SOCKET": address, "HOME": "/nowhere"}
        if watchdog_s is not None:
            self.environ["WATCHDOG_USEC"] = f"{watchdog_s * 1e6:.0f}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0"))
        self._socket.settimeout(WITHIN_S)

    def heard(self) -> list[str]:
        """All lines that have come since it was asked last."""
        self._socket.setblocking(False)
        lines: list[str] = []
        try:
            while True:
                lines += self._socket.recv(65_536).decode().split("\n")
        except BlockingIOError:
            return lines

    def hears_next(self) -> list[str]:
        """Waits for a datagram."""
        self._socket.settimeout(WITHIN_S)
        return self._socket.recv(65_536).decode().split("\n")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify"), watchdog_s=10)
    yield manager
    manager.close()


@pytest.fixture
def system() -> Iterator[SimDriver]:
    driver = SimDriver(SimRuntime())
    driver.runtime.gate.renew_lease(NO_LEASE)
    yield driver
    driver.close()


def notifier(
    runtime: Runtime, manager: Manager, preflight_passed: Callable[[], bool] = lambda: True
) -> ServiceNotifier:
    return ServiceNotifier(runtime, manager.environ, preflight_passed)


def open_gate(runtime: Runtime) -> None:
    runtime.gate.arm((), "a test", runtime.gate.epoch)


def pings(manager: Manager) -> int:
    return manager.heard().count("WATCHDOG=1")


def test_it_is_ready_only_once_preflight_has_passed_i77(
    system: SimDriver, manager: Manager
) -> None:
    passed: list[bool] = []
    telling = notifier(system.runtime, manager, lambda: bool(passed))

    for _ in range(5):
        telling.tell_once()
    before = manager.heard()
    passed.append(True)
    open_gate(system.runtime)
    for _ in range(5):
        telling.tell_once()

    assert before == ["STATUS=trading is HALTED: start"]
    assert manager.heard() == ["READY=1", "STATUS=trading is ACTIVE"]


def test_the_status_is_told_when_it_changes_i77(system: SimDriver, manager: Manager) -> None:
    telling = notifier(system.runtime, manager)
    open_gate(system.runtime)
    telling.tell_once()
    manager.heard()

    system.runtime.gate.trip(HALT)
    for _ in range(3):
        telling.tell_once()

    assert manager.heard() == ["STATUS=trading is HALTED: operator-halt"]


def test_a_status_of_many_causes_is_cut(system: SimDriver, manager: Manager) -> None:
    for number in range(100):
        cause = Cause(
            code=f"failed:/hydra/bots/bot_{number}",
            cause_class=CauseClass.INTEGRITY,
            state=TradingState.HALTED,
            since=1,
            detail="",
        )
        system.runtime.gate.trip(cause)

    notifier(system.runtime, manager).tell_once()

    assert [len(line) for line in manager.heard() if line.startswith("STATUS")] == [
        len("STATUS=") + STATUS_LENGTH_MAX
    ]


class Living:
    """A safety chain in virtual time, its lease kept as live, and what the manager hears of it."""

    def __init__(self, system: SimDriver, manager: Manager) -> None:
        self._system = system
        self._manager = manager
        self._keeper = LeaseKeeper(system.runtime)
        self._telling = notifier(system.runtime, manager)

    def pings_of(self, duration: int) -> int:
        """The lease is looked after twice a second, the manager told once."""
        heard = 0
        for tick in range(duration // RENEW_EVERY):
            self._keeper.tick(self._system.runtime.now())
            if tick % 2:
                self._telling.tell_once()
                heard += pings(self._manager)
            self._system.runtime.advance(RENEW_EVERY)
        return heard


def test_while_the_safety_chain_makes_progress_there_are_pings_i77(
    system: SimDriver, manager: Manager, log: list[str]
) -> None:
    system.start(scripted("a", log, critical=True), scripted("b", log, critical=True))

    assert Living(system, manager).pings_of(60 * SECOND) == 60


def test_without_a_safety_chain_there_is_no_ping_i77(system: SimDriver, manager: Manager) -> None:
    system.start()

    assert Living(system, manager).pings_of(60 * SECOND) == 0


@pytest.mark.parametrize("member", [A, B])
def test_a_member_that_hangs_ends_the_pings_for_good_and_halts_i70_i77(
    member: Any, system: SimDriver, manager: Manager, log: list[str]
) -> None:
    system.start(scripted("a", log, critical=True), scripted("b", log, critical=True))
    open_gate(system.runtime)
    living = Living(system, manager)
    alive = living.pings_of(4 * SECOND)

    # No ping reaches it, and nothing replaces it.
    remove = system.runtime.add_filter(
        lambda cell, envelope: () if cell.path == member.path else None
    )
    detection = living.pings_of(DETECT_WITHIN + LEASE)
    afterwards = living.pings_of(60 * SECOND)
    remove()

    assert (alive, afterwards) == (4, 0)
    assert detection <= (DETECT_WITHIN + LEASE) // SECOND
    assert system.runtime.gate.state is TradingState.HALTED


def test_a_member_that_is_down_ends_the_pings_until_it_is_back_i77(
    system: SimDriver, manager: Manager, log: list[str]
) -> None:
    system.start(scripted("a", log, critical=True, backoff=SLOW), scripted("b", log, critical=True))
    living = Living(system, manager)
    living.pings_of(4 * SECOND)

    system.tell(A, boom())
    system.runtime.settle()
    while_it_is_down = living.pings_of(4 * SECOND)
    living.pings_of(8 * SECOND)

    assert while_it_is_down == 0
    assert living.pings_of(10 * SECOND) == 10


def test_a_lease_that_nobody_renews_ends_the_pings_i77(system: SimDriver, manager: Manager) -> None:
    telling = notifier(system.runtime, manager)
    system.runtime.gate.renew_lease(system.runtime.now() + LEASE)

    telling.tell_once()
    with_a_lease = pings(manager)
    system.runtime.advance(LEASE)
    telling.tell_once()

    assert (with_a_lease, pings(manager)) == (1, 0)


@pytest.mark.slow
def test_an_actor_that_hangs_on_its_thread_ends_the_pings_i70_i77(
    manager: Manager, log: list[str]
) -> None:
    system = ThreadDriver(ThreadRuntime())
    manager.environ["WATCHDOG_USEC"] = "40000"  # a ping every 10 ms
    telling = notifier(system.runtime, manager)
    system.start(scripted("a", log, critical=True, backoff=SLOW), scripted("b", log, critical=True))
    open_gate(system.runtime)
    telling.start()
    system.until(lambda: pings(manager) > 0)

    system.tell(A, Do(action=system.hang))
    system.until(lambda: system.runtime.gate.state is TradingState.HALTED)
    system.until(lambda: system.runtime.gate.lease_left() <= 0)
    threading.Event().wait(0.1)  # what was on its way has come
    pings(manager)
    threading.Event().wait(1.0)

    assert pings(manager) == 0
    assert telling.stop(WITHIN_S)
    system.close()


@pytest.mark.parametrize(
    ("watchdog_usec", "period_s"),
    [
        (None, PERIOD_S),
        ("30000000", PERIOD_S),
        ("4000000", PERIOD_S),
        ("3000000", 0.75),
        ("1000000", 0.25),
        # No number of microseconds: no watchdog.
        ("", PERIOD_S),
        ("0", PERIOD_S),
        ("-1000000", PERIOD_S),
        ("1e6", PERIOD_S),
        ("soon", PERIOD_S),
        ("1" * 19, PERIOD_S),
        ("٣٠٠٠٠٠٠", PERIOD_S),
    ],
)
def test_the_pings_come_well_within_half_of_the_watchdog_s_time_i77(
    watchdog_usec: str | None, period_s: float, system: SimDriver, manager: Manager
) -> None:
    del manager.environ["WATCHDOG_USEC"]
    if watchdog_usec is not None:
        manager.environ["WATCHDOG_USEC"] = watchdog_usec

    assert notifier(system.runtime, manager).period_s == period_s


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 1),
        ({"WATCHDOG_PID": None}, 1),
        ({"WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": None}, 0),
        ({"WATCHDOG_USEC": "0"}, 0),
    ],
)
def test_there_are_pings_only_if_they_are_wanted_of_this_process_i77(
    changes: dict[str, str | None],
    expected: int,
    system: SimDriver,
    manager: Manager,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.getpid", lambda: 4711)
    environ = {**manager.environ, "WATCHDOG_PID": "4711", **changes}
    manager.environ = {name: value for name, value in environ.items() if value is not None}
    system.runtime.gate.renew_lease(UNLIMITED_LEASE)

    notifier(system.runtime, manager).tell_once()

    assert pings(manager) == expected


def test_an_abstract_socket_is_told_too_i77(system: SimDriver, tmp_path: Path) -> None:
    manager = Manager(f"@hydra-test{tmp_path}")

    notifier(system.runtime, manager).tell_once()

    assert manager.heard() == ["READY=1", "STATUS=trading is HALTED: start"]
    manager.close()


NOBODY = ["", "relative/socket", "vsock:2:1234", "/nowhere/at/all", "/" + "x" * 200, "@", "@gone"]


@pytest.mark.parametrize("address", NOBODY)
def test_where_nobody_listens_nothing_happens_i77(system: SimDriver, address: str) -> None:
    environ = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"}
    before = threading.active_count()
    telling = ServiceNotifier(system.runtime, environ, lambda: True)

    telling.start()
    for _ in range(3):
        telling.tell_once()

    assert telling.stop(WITHIN_S)
    assert threading.active_count() == before


def test_a_socket_without_an_absolute_name_is_none_i77(
    system: SimDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    manager = Manager("notify")

    notifier(system.runtime, manager).tell_once()

    assert manager.heard() == []
    manager.close()


def test_without_a_manager_there_is_no_thread(system: SimDriver) -> None:
    before = threading.active_count()
    telling = ServiceNotifier(system.runtime, {}, lambda: True)

    telling.start()

    assert threading.active_count() == before
    assert telling.stop(WITHIN_S)


def test_what_the_socket_did_not_take_is_told_again_i77(system: SimDriver, tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    telling = ServiceNotifier(system.runtime, {"NOTIFY_SOCKET": address}, lambda: True)
    telling.tell_once()  # nobody is there yet
    manager = Manager(address)

    telling.tell_once()
    telling.tell_once()

    assert manager.heard() == ["READY=1", "STATUS=trading is HALTED: start"]
    manager.close()


def test_a_manager_that_does_not_read_holds_nobody_up_i77(
    system: SimDriver, manager: Manager
) -> None:
    telling = notifier(system.runtime, manager)
    system.runtime.gate.renew_lease(UNLIMITED_LEASE)

    for _ in range(5_000):  # far more than its socket has room for
        telling.tell_once()

    assert 0 < pings(manager) < 5_000
    system.runtime.gate.trip(HALT)
    telling.tell_once()
    assert manager.heard() == ["STATUS=trading is HALTED: start, operator-halt", "WATCHDOG=1"]


def test_the_thread_tells_all_of_it_and_at_last_that_it_stops_i77(
    system: SimDriver, manager: Manager
) -> None:
    manager.environ["WATCHDOG_USEC"] = "400000"  # a ping ten times a second
    system.runtime.gate.renew_lease(UNLIMITED_LEASE)
    before = threading.active_count()
    telling = notifier(system.runtime, manager)

    telling.start()
    first = manager.hears_next()
    second = manager.hears_next()

    assert telling.stop(WITHIN_S)
    assert first == ["READY=1", "STATUS=trading is HALTED: start", "WATCHDOG=1"]
    assert second == ["WATCHDOG=1"]
    assert manager.heard()[-2:] == ["WATCHDOG=1", "STOPPING=1"]
    assert threading.active_count() == before


def test_the_thread_keeps_to_the_watchdog_s_time_i77(system: SimDriver, manager: Manager) -> None:
    manager.environ["WATCHDOG_USEC"] = "40000"  # a ping every 10 ms
    system.runtime.gate.renew_lease(UNLIMITED_LEASE)
    telling = notifier(system.runtime, manager)

    began = machine_time()
    telling.start()
    for _ in range(20):
        assert "WATCHDOG=1" in manager.hears_next()

    assert machine_time() - began < 20 * PERIOD_S * SECOND / 2
    assert telling.stop(WITHIN_S)


def test_a_run_that_is_over_at_once_was_ready_too_i77(system: SimDriver, manager: Manager) -> None:
    passed = threading.Event()
    telling = notifier(system.runtime, manager, passed.is_set)
    telling.start()
    manager.hears_next()

    passed.set()
    assert telling.stop(WITHIN_S)

    assert manager.heard() == ["READY=1", "STOPPING=1"]
