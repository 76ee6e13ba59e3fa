"""Where one drill takes place: a real engine on files of its own, and what can be done to it."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import TypeAlias

import apsw
import msgspec

from hydra import deafness
from hydra.ops.drill.engine_process import EngineProcess, port_of
from hydra.ops.drill.interrupting import Interruptions
from hydra.ops.drill.own_bot import BOT_ID, signal_line
from hydra.ops.drill.sightings import Sight, Sightings
from hydra.ops.drill.venue_admin import VenueAdmin
from hydra.ops.ending import GONE_WITHIN_S
from hydra.settings import Settings
from hydra.store.checking import LedgerDamaged
from hydra.store.engine_files import EngineFiles
from hydra.store.events import EngineStopped
from hydra.store.journal_files import JournalDamaged
from hydra.testkit.judge.verdict import violations_in
from hydra.trading.durations import MINUTE
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.request_log import VenueLogRefused

ENGINE = (sys.executable, "-m", "hydra.main")
FAST, SLOW = 600.0, 60.0
"""Market time per time: on the way to the exchange's opening, and from there on."""
DEAF_TO = "deaf_to"
BEHIND_THE_OPEN_NS = 3 * MINUTE
READY_WITHIN_S = 40.0
REPORTED_WITHIN_S = 20.0
"""From its stop: it still writes its report for people, and nothing depends on that."""
LOOK_EVERY_S = 0.01
VIOLATIONS_SHOWN_MAX = 5
UNREADABLE = (LookupError, OSError, apsw.Error, JournalDamaged, LedgerDamaged, VenueLogRefused)
"""What the judge raises where something is damaged."""

NEVER_PASSED_ON = (
    *("HYDRA_KILL_SWITCH", "HYDRA_KILL_SWITCH_FILE", "HYDRA_STRATEGY_MODE", "HYDRA_CRASH_AT"),
    *("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"),
)
"""What the environment says to the engine that a person runs is not meant for one of a drill."""
OF_A_BROKER = ("ALPACA_KEY", "ALPACA_SECRET", "ALPACA_PAPER", "HYDRA_LIVE")
"""And this to none on the embedded venue."""


class Ground(Enum):
    """Whose account is drilled on."""

    EMBEDDED = "the embedded venue"
    PAPER = "the paper account"


class NotDone(Exception):
    """The drill cannot be done here, or did not come to its fault. One line: why."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What all drills of a run have in common.

    `settings` are those in `config`, the drills' own bot included. `engine` is the command of an
    engine, to which config and folders are added. `data` is the market that the embedded venue
    plays, `opens_at` when the exchange opens in it; `ticker` the share of the drills' own bot and
    `notional` (USD) what an order of it is worth. On the paper account there is none of them.
    """

    ground: Ground
    config: Path
    settings: Settings
    engine: tuple[str, ...]
    data: MarketData | None = None
    opens_at: int = 0
    ticker: str = ""
    notional: Decimal = Decimal(0)
    signals: Path | None = None


Seen: TypeAlias = Callable[[], object]


class Stage:
    """One engine after the other on one state folder. What is wrong is added to `faults`."""

    def __init__(self, scene: Scene, folder: Path, interruptions: Interruptions) -> None:
        self.scene = scene
        self.settings = scene.settings
        self.faults: list[str] = []
        self.files = EngineFiles.under(
            folder / "state", folder / "logs", "trading_state.db", "app.jsonl"
        )
        self.on_disk = Sightings(self.files)
        self._folder = folder
        self._interruptions = interruptions
        self._token = secrets.token_hex(16)
        self._engine: EngineProcess | None = None
        self._venue: VenueAdmin | None = None
        self._signals = 0
        if scene.signals is not None:
            scene.signals.write_bytes(b"")  # of the drill before

    def start(self) -> None:
        """Start an engine on what the one before has left. Raises `NotDone`."""
        folders = ("--state-dir", f"{self.files.ledger.parent}")
        logs = ("--log-dir", f"{self.files.journal.parent}", "--plain")
        # No .env is read there; on the paper account it has the keys.
        cwd = self._folder if self.scene.ground is Ground.EMBEDDED else Path.cwd()
        command = (*self.scene.engine, "--config", f"{self.scene.config}", *folders, *logs)
        with self._interruptions.held():
            self._engine = EngineProcess(command, self._environment(), cwd)
        self._venue = None

    def start_trading(self) -> None:
        """Start it, and wait until trading is open; on the embedded venue, the exchange too."""
        self.start()
        self.require(lambda: self.may_trade, READY_WITHIN_S, "trading did not open")
        if self.scene.ground is Ground.EMBEDDED:
            opens_at = self.scene.opens_at + BEHIND_THE_OPEN_NS
            self.require(
                lambda: self.venue.clock() >= opens_at, READY_WITHIN_S, "the exchange did not open"
            )
            self.venue.run_at(SLOW)

    @property
    def engine(self) -> EngineProcess:
        """The one that was started last."""
        assert self._engine is not None, "it was started"
        return self._engine

    @property
    def venue(self) -> VenueAdmin:
        """The embedded venue of that engine. Raises `NotDone`."""
        if self._venue is None:
            self.require(lambda: self._port() is not None, READY_WITHIN_S, "no venue serves")
            port = self._port()
            assert port is not None, "it was seen a moment ago"
            self._venue = VenueAdmin(port, self._token)
        return self._venue

    @property
    def may_trade(self) -> bool:
        """Whether trading is open by what the engine that runs has in its journal."""
        said = self.on_disk.lines("trading_state")
        starts = [line["seq"] for line in self.on_disk.lines("engine_started")]
        return bool(said) and said[-1]["seq"] > starts[-1] and said[-1]["state"] == "ACTIVE"

    def ask_for_order(self) -> None:
        """Have the drills' own bot want to buy. What comes of it is the engine's business."""
        assert self.scene.signals is not None, "there is no such bot on the paper account"
        self._signals += 1
        at = self.venue.clock()
        line = signal_line(self._signals, self.scene.ticker, self.scene.notional, at)
        with self.scene.signals.open("ab") as file:
            file.write(line)

    def be_deaf_to(self, streams: str) -> None:
        """From now on the engine hears nothing on the streams of these names."""
        deaf_to = self._folder / DEAF_TO
        beside = deaf_to.with_suffix(".new")
        beside.write_text(streams)
        beside.rename(deaf_to)

    def wait(self, seen: Seen, within_s: float) -> Sight | None:
        """Look until it is seen; None: it was not within the time."""
        not_before = time.monotonic()
        give_up_at = not_before + within_s
        while True:
            began = time.monotonic()
            if seen():
                return Sight(not_before=not_before, by=time.monotonic())
            not_before = began
            if began >= give_up_at:
                return None
            time.sleep(LOOK_EVERY_S)  # of another process nothing tells but its files

    def let_pass(self, seconds: float) -> None:
        """Time in which the engine goes on, and would do what it must not."""
        self.wait(lambda: False, seconds)

    def require(self, seen: Seen, within_s: float, otherwise: str) -> Sight:
        """The same of what a drill cannot do without. Raises `NotDone`."""

        def seen_or_over() -> object:
            return seen() or self.engine.exit_code is not None

        found = self.wait(seen_or_over, within_s)
        if found is None or not seen():
            raise NotDone(f"{otherwise}: {self._why()}")
        return found

    def stop(self) -> None:
        """Ask the engine to stop: its record is closed in time, and it ends with exit code 0."""
        if self.engine.exit_code is None:
            before = len(self.on_disk.events(EngineStopped))
            self.engine.ask_to_stop()
            if not self.wait(
                lambda: len(self.on_disk.events(EngineStopped)) > before, GONE_WITHIN_S
            ):
                self.faults.append(f"it had not stopped {GONE_WITHIN_S:g} s after it was asked to")
            code = self.engine.ended_within(REPORTED_WITHIN_S)
            if code != 0:
                self.faults.append(f"it ended with {code}, wanted 0: {self.engine.words}")
        self.engine.leave_nothing()

    def judge(self) -> None:
        """What any engine did here that none ever may: venue's log against ledger and journal."""
        markets = () if self.scene.data is None else (self.scene.data,)
        try:
            found = violations_in(self.files, markets)
        except UNREADABLE as error:
            self.faults.append(f"what it left cannot be judged: {error}")
            return
        self.faults += [str(violation) for violation in found[:VIOLATIONS_SHOWN_MAX]]
        if len(found) > VIOLATIONS_SHOWN_MAX:
            self.faults.append(f"and {len(found) - VIOLATIONS_SHOWN_MAX} more")

    def close(self) -> None:
        """Nothing of it runs any more."""
        if self._engine is not None:
            self._engine.leave_nothing()

    def _why(self) -> str:
        """For people: what the drills' own order came to; else how trading and the engine are."""
        denied = [
            f"{line['check']}: {line['reason']}"
            for line in self.on_disk.lines("order_denied")
            if line["intent"]["decision"]["bot"] == BOT_ID
        ]
        refused = [line["reason"] for line in self.on_disk.lines("signal_settled")]
        reasons = [reason for reason in (*denied, *refused) if reason]
        if reasons:
            return f"the drills' own order was denied: {reasons[-1]}"
        said = self.on_disk.lines("trading_state")
        causes = ", ".join(said[-1]["causes"]) if said else "nothing is on record"
        code = self.engine.exit_code
        ended = "" if code is None else f"; the engine ended with {code}"
        return f"{causes or 'trading is open'}{ended}; it said: {self.engine.words}"

    def _port(self) -> int | None:
        ports = (port_of(child) for child in self.engine.children())
        return next((port for port in ports if port is not None), None)

    def _environment(self) -> Mapping[str, str]:
        is_embedded = self.scene.ground is Ground.EMBEDDED
        left_out = (*NEVER_PASSED_ON, *OF_A_BROKER) if is_embedded else NEVER_PASSED_ON
        passed_on = {name: text for name, text in os.environ.items() if name not in left_out}
        token = {"HYDRA_VENUE_ADMIN_TOKEN": self._token} if is_embedded else {}
        return passed_on | token | {deafness.VARIABLE: f"{self._folder / DEAF_TO}"}
