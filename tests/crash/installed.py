"""The installed program, `hydra-trader run`, in processes that a test may kill.

Most of a start is the reading of modules. So a process is either executed, from the very file that
an installation puts there, or forked from one that has read them all and begins at the program's
entry point. The embedded venue is a process of its own, which the engine executes in both cases.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from hydra.crash_points import VARIABLE
from hydra.ops.exit_codes import ExitCode
from hydra.testkit.judge.case import MARKET, OVER
from hydra.testkit.judge.evidence import Life, OrderOnRecord
from hydra.testkit.judge.venue_evidence import Markets
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Role
from hydra.trading.trading_state import CauseClass
from tests.crash.forking import CONTEXT, speak_into
from tests.crash.lives import ROOT, WITHIN_S, environment_with
from tests.crash.trading import Running, Trader
from tests.waiting import eventually

PROGRAM = Path(sys.executable).with_name("hydra-trader")
SAID = "said.log"
"""All that the processes of a folder ever said, for whoever has to find out what went wrong."""
GONE_WITHIN_S = 10.0
SPEED = 1_500
"""A session takes sixteen seconds."""
LAST_SPEED = 20_000
"""Of the run that comes to the end: only what stands then is looked at."""


class Installed(Trader):
    """An engine in a folder, run by the installed program alone."""

    _said_before = 0
    """So long was the file of what was said when the newest process was started."""

    def starts(self, *words: str, place: str | None = None, is_executed: bool = True) -> Running:
        """The program, told this; where it has places, it dies at `place`."""
        words = (*words, *self._places())
        said = self._said
        self._said_before = said.stat().st_size if said.exists() else 0
        if is_executed:
            at = {} if place is None else {VARIABLE: place}
            with said.open("ab") as out:
                return subprocess.Popen(
                    [PROGRAM, *words], cwd=ROOT, env=environment_with(at), stdout=out, stderr=out
                )
        process = CONTEXT.Process(target=_be_program, args=(words, place or "", said))
        process.start()
        return Forked(process)

    def does(self, *words: str, is_executed: bool = True) -> int:
        """The same, to its end; its exit code."""
        process = self.starts(*words, is_executed=is_executed)
        try:
            return process.wait(WITHIN_S)
        finally:
            process.kill()

    @contextmanager
    def alive(self, speed: int, *more: str, place: str | None = None) -> Iterator[Running]:
        """A session on threads, so many times as fast as the market was; killed at the end, and
        then the venue's process is gone as well.
        """
        process = self.starts("run", "--speed", str(speed), *more, place=place)
        try:
            yield process
        finally:
            self.end(process)

    def end(self, process: Running) -> None:
        """Kill it, if it still runs; and wait until its venue is gone, which reads a pipe of it."""
        process.kill()
        process.wait(WITHIN_S)
        assert eventually(lambda: not self.venues, GONE_WITHIN_S), "its venue outlives it"

    def kill_venue(self) -> bool:
        """Whether there was one to kill."""
        return self._signal_venue(signal.SIGKILL)

    def freeze_venue(self) -> None:
        """It stands still, and outlives its engine."""
        assert self._signal_venue(signal.SIGSTOP), "there is one"

    def _signal_venue(self, number: int) -> bool:
        venues = self.venues
        for venue in venues:
            with suppress(ProcessLookupError):
                os.kill(venue, number)
        return bool(venues)

    def last_said(self) -> str:
        """All that the newest process has said."""
        return self._said.read_bytes()[self._said_before :].decode(errors="replace")

    def all_said(self) -> str:
        """What all processes of its folder have said."""
        return self._said.read_text(errors="replace")

    @property
    def _said(self) -> Path:
        return self.files.lock.parent.parent / SAID

    def require_even(self) -> None:
        """As `require_settled`; but where the market was over while nobody was there, what was held
        is still held, and protected. And an order that the venue does not have may not have been
        given up yet: that takes half a minute of looks, and what is left of a fast market may be
        shorter.
        """
        self.require_sound()
        life, at_venue = self.life, self._names_at_venue()
        still = {
            name: order.status
            for name, order in life.orders.items()
            if order.status.is_open
            and not (order.status is OrderStatus.UNKNOWN and name not in at_venue)
            and not (order.intent.decision.role is Role.PROTECT and is_held(life, order))
        }
        # A limit that stands lasts to the end of a market that is shorter than its cool-off.
        limits = [cause for cause in life.halts if cause.cause_class is CauseClass.LIMIT]
        others = [cause for cause in life.halts if cause.cause_class is not CauseClass.LIMIT]
        is_over = life.values.get(MARKET) == OVER or bool(limits)
        assert (is_over, others, still) == (True, [], {}), f"found {is_over, others, still}"

    def require_shut_until_resumed(self) -> None:
        """Sound as it was left, and the next start is halted and sends nothing; then an operator
        lets it go on, and the market is played to its end.
        """
        self.require_sound("as it was left")
        sent = self.sent
        assert self.does("run", "--speed", str(SPEED)) == ExitCode.PREFLIGHT_FAILED
        assert self.sent == sent
        self.require_sound("halted")
        assert self.does("resume", "--reason", "seen to") == ExitCode.CLEAN
        assert self.does("run", "--speed", str(LAST_SPEED)) == ExitCode.CLEAN
        self.require_even()

    def _names_at_venue(self) -> set[str]:
        """Of the orders that it took."""
        venue = self.life.venue
        if venue is None:
            return set()
        played = venue.played(Markets(data=(self._market,), cache=self._calendar))
        return {each.order.client_order_id for each in played.snapshot.orders}

    @property
    def venues(self) -> list[int]:
        """The processes that serve its embedded venue now."""
        return venues_of(self.files.lock.parent)


class Forked:
    """One that was forked."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code once it has ended, negative for a signal."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The same, once it has ended. Raises TimeoutExpired."""
        self._process.join(timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired("hydra-trader", timeout or 0.0)
        return code

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()

    def send_signal(self, sig: int) -> None:
        """Nothing, if it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)


def is_held(life: Life, order: OrderOnRecord) -> bool:
    """Whether there is, by the record, what it would close."""
    return life.positions.get(order.order.symbol, Decimal(0)) >= order.order.quantity


def venues_of(state: Path) -> list[int]:
    """The processes that serve the embedded venue of this folder; none where nobody can know."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[3:5] == [b"venue", b"serve"] and bytes(state / "venue") in words:
                found.append(int(process.name))
    return found


def _be_program(words: tuple[str, ...], place: str, said: Path) -> None:
    """From the entry point on, as if it had been executed."""
    with said.open("ab") as out:
        speak_into(out.fileno(), out.fileno(), place)
    sys.argv = [str(PROGRAM), *words]
    from hydra.cli import main  # which was read before this process was forked

    main()
