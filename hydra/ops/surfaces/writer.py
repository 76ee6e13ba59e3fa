"""Keeps the surfaces fresh while an engine runs, on a thread that nothing waits for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from hydra.ops.control.configuring import Reloading, no_reload
from hydra.ops.control.facts import EngineFacts
from hydra.ops.control.reporting import StatusReport
from hydra.ops.debug.asking import Caller, shown_by
from hydra.ops.debug.looking import NoArguments
from hydra.ops.session import summary_of
from hydra.ops.stamp import stamp
from hydra.ops.surfaces.documents import (
    ENDING,
    PER_RUN_SURFACES,
    TRADING_TIME,
    Sight,
    documents_of,
)
from hydra.ops.surfaces.trading_time import (
    TimedLook,
    TradingTime,
    trading_time_in,
    with_look,
)
from hydra.runtime.runtime import Runtime
from hydra.store.private_files import RightsTooOpen, make_private_folder, put_private_file
from hydra.trading.durations import MILLISECOND
from hydra.trading.trading_state import TradingState
from supervisors import paths

PERIOD_S = 5.0
SOURCE = "surfaces"
EXIT_BOT_WITHIN = 100 * MILLISECOND
CALLER = Caller("surfaces", runs_simulation=False)
_FORM = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


class SurfaceWriter:
    """Looks at the engine every few seconds and writes what it saw, each file whole.

    That a file cannot be written is in the journal once, and stops nothing: whoever reads a surface
    sees that it is old.
    """

    def __init__(
        self,
        runtime: Runtime,
        facts: EngineFacts,
        folder: Path,
        *,
        reload: Reloading = no_reload,
        period_s: float = PERIOD_S,
        now: Callable[[], str] = stamp,
    ) -> None:
        """Nothing is made yet. `now` is UTC as text."""
        self._runtime = runtime
        self._report = StatusReport(facts, reload)
        self._folder = folder
        self._period_s = period_s
        self._now = now
        self._facts = facts
        self._time: TradingTime | None = None
        self._looked: TimedLook | None = None
        self._started_at = now()
        self._has_per_run = False
        self._fault: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name="surfaces", daemon=True)

    def start(self) -> None:
        """Begin to write, until `stop`."""
        self._thread.start()

    def stop(self, within_s: float) -> bool:
        """Write no more. False if that took longer."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(within_s)
        return not self._thread.is_alive()

    def write_once(self) -> None:
        """One look, and every surface; of those of the run only the first time."""
        sight = self._sight()
        try:
            make_private_folder(self._folder)
            for name, document in documents_of(sight).items():
                if name not in PER_RUN_SURFACES or not self._has_per_run:
                    content = orjson.dumps(document, option=_FORM)
                    put_private_file(self._folder / f"{name}{ENDING}", content)
        except OSError as error:
            self._failed(f"{self._folder}: {error.strerror or error}")
            return
        except RightsTooOpen as error:
            self._failed(str(error))
            return
        self._has_per_run = True
        self._fault = None

    def _keep_writing(self) -> None:
        while True:
            self.write_once()
            if self._stopping.wait(self._period_s):
                return

    def _sight(self) -> Sight:
        told = self._report.status(self._runtime, NoArguments(), CALLER)
        return Sight(
            told=told,
            exits=shown_by(self._runtime, paths.bot("exit_bot"), EXIT_BOT_WITHIN, CALLER),
            summary=summary_of(self._runtime),
            at=self._now(),
            started_at=self._started_at,
            process=os.getpid(),
            trading_time=self._trading_time(told),
        )

    def _trading_time(self, told: Mapping[str, Any]) -> TradingTime | None:
        runtime = self._runtime
        seen = runtime.now()
        at = runtime.market_time_at(seen)
        is_open = told["trading_state"] == TradingState.ACTIVE.name and not told["dry_run"]
        look = TimedLook(
            at=at,
            seen=seen,
            session=self._facts.sessions.at(at),
            traded_as=told["versions"]["traded_as"] if is_open else None,
        )
        before = self._time if self._looked is not None else self._of_an_earlier_process()
        self._time = with_look(before, self._looked, look)
        self._looked = look
        return self._time

    def _of_an_earlier_process(self) -> TradingTime | None:
        """What it counted of this account; None: nothing, or nothing that can be read."""
        try:
            document = orjson.loads((self._folder / f"{TRADING_TIME}{ENDING}").read_bytes())
            is_ours = document["account"] == self._facts.account
            return trading_time_in(document) if is_ours else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _failed(self, fault: str) -> None:
        if fault != self._fault:
            self._fault = fault
            self._runtime.log("surfaces_failed", SOURCE, {"detail": fault})
