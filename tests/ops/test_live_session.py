"""A live session begins and ends in order, whatever its market is."""

import io
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec import structs

from actors.reporter import Reporter
from hydra.assembly import Tree, assemble
from hydra.ops import live_session
from hydra.ops.embedded import LEAD
from hydra.ops.embedded_account import embedded_run
from hydra.ops.ending import LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.live_session import play_live
from hydra.ops.session import RunOptions, Session
from hydra.ports import Service
from hydra.runtime.clock import FollowedClock, machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.engine_files import EngineFiles
from hydra.store.halt_marker import HaltMarker
from hydra.store.record import EngineRecord, Owner
from hydra.trading.account_reading import AccountStatement
from hydra.trading.trading_state import TradingState
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.faults import FailLook
from hydra.venues.simulated.market_data import MarketData, generated
from hydra.venues.simulated.misbehaving import MisbehavingExchange
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from messages.market import FeedEnded
from messages.summary import SessionSummary
from supervisors import paths
from tests.engine.harness import plan_of, struck
from tests.engine.scenery import shipped_settings
from tests.ops.test_notify import Manager


class NotedMarket:
    """Notes what it is told to do, and how the gate and the tree are at that moment."""

    def __init__(
        self,
        data: MarketData,
        then: Callable[["NotedMarket"], None],
        exchange: SimulatedExchange | None = None,
    ) -> None:
        self._exchange = exchange
        self.clock = FollowedClock(data.begins_at - LEAD)
        self.noted: list[tuple[str, TradingState, bool]] = []
        self.finished: Callable[[str | None], None] = lambda _: None
        self.data = data
        self._then = then
        self._runtime: ThreadRuntime | None = None

    def assemble(
        self, session: Session, runtime: ThreadRuntime, services: Mapping[str, Service]
    ) -> Tree:
        self._runtime = runtime
        return assemble(
            session.settings,
            self.data,
            runtime=runtime,
            market_time=lambda: self.clock.at(machine_time()),
            ledger=session.record.ledger,
            journal=session.record.journal,
            exchange=self._exchange,
            conditions=session.conditions,
            services=services,
        )

    def connect(self) -> None:
        self._note("connect")

    def open(self, finished: Callable[[str | None], None]) -> None:
        self._note("open")
        self.finished = finished
        self._then(self)

    def close(self, within_s: float) -> None:
        self._note("close")

    def settle(self, within_s: float) -> bool:
        self._note("settle")
        return True

    def disconnect(self, within_s: float) -> None:
        self._note("disconnect")

    def read_account(self, since: int | None, deadline: float) -> AccountStatement:
        raise ReadFailed("there is no account here")

    def last_words(self) -> tuple[str, ...]:
        """See `LiveMarket.last_words`."""
        return ()

    def feed_ends(self) -> None:
        assert self._runtime is not None
        at = self.clock.at(machine_time())
        self._runtime.outside("market").tell(paths.DATA_FEED, FeedEnded(at=at))

    def _note(self, what: str) -> None:
        assert self._runtime is not None
        root = self._runtime.cells.get("/hydra")
        is_running = root is not None and root.status.name == "RUNNING"
        self.noted.append((what, self._runtime.gate.state, is_running))


def is_over(market: NotedMarket) -> None:
    market.feed_ends()
    market.finished(None)


def is_stopped(_: NotedMarket) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def breaks(market: NotedMarket) -> None:
    market.finished("the market's wire was cut")


def files_under(folder: Path) -> EngineFiles:
    return EngineFiles.under(folder / "state", folder / "logs", "ledger.db", "app.jsonl")


def played(folder: Path, market: NotedMarket, *, waits: bool = False) -> ExitCode:
    """A session in this market; one that `waits` has a market without an end."""
    files = files_under(folder)
    at = market.data.begins_at - LEAD
    owner = Owner(
        venue="embedded",
        account=EMBEDDED_ACCOUNT,
        version="0",
        configuration="",
        at=at,
        wall_at=time.time_ns(),
    )
    record, last_resort = EngineRecord.open(files, owner), LastResort()
    last_resort.stand_by()
    options = RunOptions(seed=0, speed=600.0, dry_run=False)
    run = embedded_run(market.data, EMBEDDED_ACCOUNT, at)
    if waits:
        run = structs.replace(run, ends_at=None)
    out = io.StringIO()
    session = Session(shipped_settings(), files, options, record, run, out, last_resort)
    try:
        return play_live(session, market)
    finally:
        last_resort.disarm()
        record.close()


@pytest.mark.parametrize(
    ("then", "code", "state"),
    [
        (is_over, ExitCode.CLEAN, TradingState.ACTIVE),
        (is_stopped, ExitCode.CLEAN, TradingState.HALTED),
        (breaks, ExitCode.FAIL_CLOSED, TradingState.HALTED),
    ],
)
def test_the_venue_answers_until_the_actors_have_stopped_i76(
    then: Callable[[NotedMarket], None], code: ExitCode, state: TradingState, tmp_path: Path
) -> None:
    market = NotedMarket(generated(("AAPL",), 0, tmp_path / "cache"), then)

    assert played(tmp_path, market) == code

    assert [what for what, _, _ in market.noted] == [
        "connect", "open", "close", "settle", "disconnect",
    ]  # fmt: skip
    states = {what: (gate, is_running) for what, gate, is_running in market.noted}
    assert states["connect"][1]
    assert states["open"] == (TradingState.ACTIVE, True)
    # Asked to stop, nothing is sent any more before anything else is done; and whoever still has
    # something to cancel finds the venue there.
    assert states["settle"][0] is state
    assert states["disconnect"] == (TradingState.HALTED, False)


def test_a_reporter_that_fails_over_the_summary_ends_no_session_i69(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_reporter: Reporter) -> SessionSummary:
        raise ArithmeticError("nobody foresaw this")

    monkeypatch.setattr(Reporter, "_summary", fails)
    market = NotedMarket(generated(("AAPL",), 0, tmp_path / "cache"), is_over)

    assert played(tmp_path, market) == ExitCode.CLEAN

    assert market.noted[-1] == ("disconnect", TradingState.HALTED, False)


def test_where_no_thread_can_be_begun_any_more_a_fail_closed_stop_is_still_one_i03_i70(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_begin(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def breaks_and_nothing_begins(market: NotedMarket) -> None:
        monkeypatch.setattr(threading.Thread, "start", cannot_begin)
        breaks(market)

    market = NotedMarket(generated(("AAPL",), 0, tmp_path / "cache"), breaks_and_nothing_begins)

    assert played(tmp_path, market) == ExitCode.FAIL_CLOSED

    monkeypatch.undo()
    assert market.noted[-1] == ("disconnect", TradingState.HALTED, False)
    marker = HaltMarker.open(files_under(tmp_path).halt_marker, at=0, first_start=False)
    standing = marker.standing
    marker.close()
    assert standing is not None
    assert (standing.code, standing.detail) == ("fail-closed", "the market's wire was cut")


def test_a_manager_hears_that_it_is_ready_once_preflight_has_passed_and_not_while_it_waits_i77(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: dict[str, list[str]] = {}
    monkeypatch.setattr(live_session, "READY_WITHIN_S", 2.0)
    unreadable = MisbehavingExchange(plan_of(struck(FailLook(), what="snapshot", times=None)))
    for name, exchange in (("passes", None), ("waits", unreadable)):
        folder = tmp_path / name
        folder.mkdir()
        manager = Manager(str(folder / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(folder / "notify"))
        data = generated(("AAPL",), 0, tmp_path / "cache")
        market = NotedMarket(data, lambda _: is_stopped_after(1.5), exchange)

        assert played(folder, market, waits=True) == ExitCode.CLEAN

        heard[name] = manager.heard()
        manager.close()

    assert "READY=1" in heard["passes"]
    assert "READY=1" not in heard["waits"]
    assert "STOPPING=1" in heard["waits"]


def is_stopped_after(seconds: float) -> None:
    """A notifier says something every second; this is a little more."""
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM)).start()
