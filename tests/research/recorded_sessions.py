"""Sessions of the whole engine on threads, on a venue in this process, recorded as they go."""

import io
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hydra.actor import Ref
from hydra.assembly import Engine, Tree, assemble
from hydra.ops.embedded import LEAD
from hydra.ops.embedded_account import embedded_run
from hydra.ops.ending import LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.live_session import play_live
from hydra.ops.session import Recorded, RunOptions, Session
from hydra.ports import Service
from hydra.runtime.clock import FollowedClock, machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.settings import Settings
from hydra.store.engine_files import EngineFiles
from hydra.store.private_files import make_private_folder
from hydra.store.record import EngineRecord, Owner
from hydra.testkit.faults import Gibberish
from hydra.trading.account_reading import AccountStatement
from hydra.trading.causes import OPERATOR_HALT
from hydra.trading.trading_state import TradingState
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.playback import market_moments
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from messages.control import Halt, Resume
from supervisors import paths
from tests.engine.scenery import shipped_settings
from tests.waiting import eventually

Happening = Callable[[ThreadRuntime], None]


class PlayedMarket:
    """Bars, one after the other, each once the engine has nothing left to do; see `LiveMarket`.

    `happenings` are done between two bars, by the number of the first.
    """

    def __init__(
        self,
        data: MarketData,
        happenings: Mapping[int, Happening],
        exchange: SimulatedExchange | None,
    ) -> None:
        self.clock = FollowedClock(data.begins_at - LEAD)
        self._data = data
        self._happenings = happenings
        self._exchange = exchange
        self._engine: Engine | None = None
        self._runtime: ThreadRuntime | None = None
        self._finished: Callable[[str | None], None] = lambda _: None

    def assemble(
        self, session: Session, runtime: ThreadRuntime, services: Mapping[str, Service]
    ) -> Tree:
        self._runtime = runtime
        self._engine = assemble(
            session.settings,
            self._data,
            runtime=runtime,
            market_time=lambda: self.clock.at(machine_time()),
            ledger=session.record.ledger,
            journal=session.record.journal,
            exchange=self._exchange,
            conditions=session.conditions,
            services=services,
        )
        return self._engine

    def connect(self) -> None:
        """There is no wire."""

    def open(self, finished: Callable[[str | None], None]) -> None:
        self._finished = finished
        threading.Thread(target=self._play, daemon=True).start()

    def _play(self) -> None:
        try:
            self._play_all()
        except BaseException as error:  # else nobody would ever say that it is over
            self._finished(f"the test failed: {error!r}")
            raise
        self._finished(None)

    def _play_all(self) -> None:
        runtime, engine = self._runtime, self._engine
        assert runtime is not None
        assert engine is not None
        for number, (at, event) in enumerate(market_moments(self._data.bars, self._data.sessions)):
            self.clock.follow(at, machine_time(), 1.0)
            engine.market.happen(event)
            runtime.settle(within=1.0)
            if (happening := self._happenings.get(number)) is not None:
                happening(runtime)
                runtime.settle(within=1.0)

    def close(self, within_s: float) -> None:
        """It is over by itself."""

    def settle(self, within_s: float) -> bool:
        return True

    def disconnect(self, within_s: float) -> None:
        """There is no wire."""

    def read_account(self, since: int | None, deadline: float) -> AccountStatement:
        raise ReadFailed("there is no account here")

    def last_words(self) -> tuple[str, ...]:
        return ()


def recorded_session(
    folder: Path,
    data: MarketData,
    *,
    happenings: Mapping[int, Happening] | None = None,
    settings: Settings | None = None,
    exchange: SimulatedExchange | None = None,
    seed: int = 0,
    out: io.StringIO | None = None,
) -> ExitCode:
    """Play it; its state lies in `folder`, and its recording in `folder/flight`."""
    make_private_folder(folder)
    files = EngineFiles.under(folder / "state", folder / "logs", "ledger.db", "app.jsonl")
    at = data.begins_at - LEAD
    owner = Owner(
        venue="embedded",
        account=EMBEDDED_ACCOUNT,
        version="0",
        configuration="",
        at=at,
        wall_at=time.time_ns(),
    )
    record, last_resort = EngineRecord.open(files, owner), LastResort()
    options = RunOptions(seed=seed, speed=600.0, dry_run=False)
    run = embedded_run(data, EMBEDDED_ACCOUNT, at)
    out = io.StringIO() if out is None else out
    chosen, recorded = settings or shipped_settings(), Recorded(folder, str)
    session = Session(chosen, files, options, record, run, out, last_resort, recorded)
    try:
        return play_live(session, PlayedMarket(data, happenings or {}, exchange))
    finally:
        last_resort.disarm()
        record.close()


# What may happen in a session


def halt(runtime: ThreadRuntime) -> None:
    """An operator halts."""
    cause = OPERATOR_HALT.cause(since=runtime.market_time_at(runtime.now()), detail="looks wrong")
    runtime.tell(paths.RISK_GUARDIAN, Halt(cause=cause))
    eventually(lambda: runtime.gate.state is TradingState.HALTED, within_s=1.0)


def resume(runtime: ThreadRuntime) -> None:
    """An operator resumes, and trading goes on after the next loops."""
    word = Resume(reason="looked into", operator="ada")
    runtime.ask(paths.RISK_GUARDIAN, word, within=2.0)
    assert eventually(lambda: runtime.gate.state is TradingState.ACTIVE)


def crash(ref: Ref[Any], times: int = 1) -> Happening:
    """This actor fails so many times in a row, if it lives so long."""

    def crash_it(runtime: ThreadRuntime) -> None:
        cell = runtime.cells.get(ref.path)
        if cell is None:
            return  # it is temporary, and has failed before
        before = cell.failed_count
        for _ in range(times):
            runtime.tell(ref, Gibberish())
        # One that has been quarantined fails no more.
        eventually(
            lambda: cell.failed_count >= before + times or runtime.failed_closed, within_s=1.0
        )

    return crash_it
