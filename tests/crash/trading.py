"""The engine as people run it, on a market of its own, killed and started again; and its judge."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec

from hydra.crash_points import VARIABLE
from hydra.ops.exit_codes import ExitCode
from hydra.settings import load_settings
from hydra.store.connection import connected_to_read
from hydra.store.engine_files import EngineFiles
from hydra.store.verification import verify_record
from hydra.testkit.judge.case import MARKET, OVER
from hydra.testkit.judge.evidence import JournalLine, Life, lives_in
from hydra.testkit.judge.verdict import violations_in
from hydra.trading.order_life import OrderStatus
from hydra.trading.trading_state import Cause
from hydra.venues.simulated.market_data import MarketData, generated, with_options
from tests.crash.lives import ROOT, WITHIN_S, environment_with
from tests.waiting import eventually

SYMBOLS = ("AAPL", "MSFT")
SETTINGS = (ROOT / "config" / "settings.yaml").read_text()
BOTS = (ROOT / "config" / "bots.yaml").read_text()
RISING = ("placeholder_momentum_v1", "{lookback_bars: 3, threshold_pct: 0.05}")
CROSSING = ("moving_average_cross", "{fast_bars: 3, slow_bars: 8}")
VIRTUAL = ("--clock", "virtual")
CODES_OF_AN_END = (ExitCode.CLEAN, ExitCode.PREFLIGHT_FAILED)


class Bot(msgspec.Struct, frozen=True):
    """One that trades often: some ninety orders a session come from the three of `BUSY`."""

    name: str
    symbol: str
    strategy: tuple[str, str]
    protective_order: str = "resting"

    @property
    def section(self) -> str:
        """As `bots.yaml` has it."""
        mode, parameters = self.strategy
        return f"""
  - bot_id: {self.name}
    enabled: true
    ticker: {self.symbol}
    session: {{trade_start: "06:35", trade_end: "12:50", manage_until: "12:55"}}
    execution: {{default_notional_usd: 1000, protective_order: {self.protective_order}}}
    risk: {{max_trades_per_day: 15, max_concurrent_positions: 1}}
    exits: {{stop_loss_pct: 0.30, take_profit_pct: 0.50, time_stop_minutes: 7}}
    signal: {{mode: "{mode}", params: {parameters}}}
"""


BUSY = (
    Bot("rising", "AAPL", RISING),
    Bot("crossing", "AAPL", CROSSING),
    Bot("other", "MSFT", RISING),
)


SHORT_COOL_OFFS = {
    "cooloff_minutes: 390": "cooloff_minutes: 5",
    "global_cooldown_minutes: 390 ": "global_cooldown_minutes: 5 ",
}
"""So that trading goes on after a venue that died."""


class Running(Protocol):
    """A process of the program, as `subprocess` has it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...

    def send_signal(self, sig: int) -> None: ...


class Trader:
    """An engine in a folder. Nobody but the test starts it, so it runs only when it is told to."""

    def __init__(
        self,
        folder: Path,
        market: MarketData,
        calendar: Path,
        *,
        bots: Sequence[Bot] = BUSY,
        settings: Mapping[str, str] | None = None,
        config: Path | None = None,
    ) -> None:
        """`calendar` is a cache of the exchange's sessions; `settings` are texts to replace.
        `config` is a folder of settings that is taken as it is, instead of all that.

        Where there is an engine in the folder already, it is that one.
        """
        self.files = EngineFiles.under(
            folder / "state", folder / "logs", "trading_state.db", "app.jsonl"
        )
        self._folder = folder
        self._market = market
        self._calendar = calendar
        self._config = folder / "config"
        if not self._config.exists():
            self.files.lock.parent.mkdir(mode=0o700)
            shutil.copytree(calendar, self.files.cache)
            if config is not None:
                shutil.copytree(config, self._config)
            else:
                _write_configuration(self._config, bots, settings or {})

    def twin(self, folder: Path) -> "Trader":
        """One in another folder, with the very past of this one."""
        shutil.copytree(self._folder, folder)
        return Trader(folder, self._market, self._calendar)

    # Running it

    def run(self, place: str | None = None) -> int:
        """A session in virtual time, to its end or to that place; how the process ended."""
        return subprocess.run(
            self._command(*VIRTUAL),
            cwd=ROOT,
            env=environment_with({} if place is None else {VARIABLE: place}),
            stdout=subprocess.DEVNULL,
            timeout=WITHIN_S,
            check=False,
        ).returncode

    def plays_on(self, speed: int) -> int:
        """A session on threads, on the venue's process, until it ends by itself; its exit code."""
        with self.running(speed) as process:
            return process.wait(timeout=WITHIN_S)

    def die(self, place: str) -> None:
        """A session that is killed there. What it leaves is whole, and nothing was done wrong."""
        assert self.run(place) == -signal.SIGKILL, f"it never came to {place}"
        self.require_sound(place)

    @contextmanager
    def running(
        self, speed: int, *more: str, place: str | None = None
    ) -> "Iterator[subprocess.Popen[bytes]]":
        """A session on threads, so many times as fast as the market was; killed at the end."""
        process = subprocess.Popen(
            self._command("--speed", str(speed), *more),
            cwd=ROOT,
            env=environment_with({} if place is None else {VARIABLE: place}),
            stdout=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(timeout=WITHIN_S)

    def says(self, *words: str) -> int:
        """What an operator says to `hydra-trader`; the code that it ends with."""
        return self.begins_to_say(*words).wait(timeout=WITHIN_S)

    def begins_to_say(self, *words: str) -> "subprocess.Popen[bytes]":
        """The same, without waiting for the answer."""
        return subprocess.Popen(
            [sys.executable, "-m", "hydra.cli", *words, *self._places()],
            cwd=ROOT,
            env=environment_with({}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def edit(self, old: str, new: str) -> None:
        """Its settings are changed, as an editor does it: another file takes the name."""
        path = self._config / "settings.yaml"
        text = path.read_text()
        assert text.count(old) == 1, old
        other = path.with_name(".settings.yaml.new")
        other.write_text(text.replace(old, new))
        other.replace(path)

    @property
    def settings_digest(self) -> str:
        """What its settings are by now."""
        return load_settings(self._config).digest

    def _command(self, *more: str) -> list[str]:
        return [sys.executable, "-m", "hydra.main", *self._places(), *more]

    def _places(self) -> list[str]:
        return [
            *("--config", str(self._config), "--venue", "embedded"),
            *("--state-dir", str(self.files.lock.parent)),
            *("--log-dir", str(self.files.journal.parent)),
        ]

    # What it left

    def require_sound(self, after: str = "") -> None:
        """`verify` passes, and the judge finds nothing in any life and any run."""
        found = self.violations
        if self.files.ledger.exists() and self.files.ledger.stat().st_size:
            checks = verify_record(self.files, "embedded", lambda *_: None).checks
            found += [
                f"verify: {check.name}: {check.found}" for check in checks if not check.is_well
            ]
        assert found == [], f"{after}: {'; '.join(found)}"

    @property
    def violations(self) -> list[str]:
        """What the judge finds, in any life and any run."""
        return [str(each) for each in violations_in(self.files, (self._market,))]

    def require_settled(self) -> None:
        """Besides: the session is over, nothing is left open, and no halt stands.

        What a kill kept from the venue is unknown until it was looked for in vain for half a minute
        (I19), and what is left of the session may be shorter: such an order may stand.
        """
        self.require_sound()
        life, sent = self.life, self.sent
        still = [
            name
            for name, order in life.orders.items()
            if order.status.is_open
            and not (order.status is OrderStatus.UNKNOWN and name not in sent)
        ]
        found = (life.values.get(MARKET), life.halts, still)
        assert found == (OVER, (), []), f"found {found}"

    @property
    def life(self) -> Life:
        """What is known of the account as it is now."""
        return lives_in(self.files)[-1]

    @property
    def sent(self) -> tuple[str, ...]:
        """The orders that came to the venue in this account's life, by their names."""
        return tuple(sent.name for sent in self.life.sent)

    def said(self, words: str) -> int:
        """How often the journal that is being written has these words, as JSON text."""
        journal = self.files.journal
        return journal.read_bytes().count(f'"{words}"'.encode()) if journal.exists() else 0

    @property
    def halts(self) -> dict[str, Cause]:
        """What stands on record."""
        return {cause.code: cause for cause in self.life.halts}

    @property
    def lines(self) -> tuple[JournalLine, ...]:
        """The journal of all runs of this account."""
        return tuple(line for run in self.life.runs for line in run.lines or ())


def _write_configuration(folder: Path, bots: Sequence[Bot], replaced: Mapping[str, str]) -> None:
    """As it is shipped, with other bots, on shares alone, and some other settings."""
    before, _, rest = BOTS.partition("momentum_bots:\n")
    after = rest[rest.index("optionsbot:") :]
    for kind in ("optionsbot", "cryptobot"):  # so that the market is one of their shares
        after = after.replace(f"{kind}:\n  enabled: true", f"{kind}:\n  enabled: false")
    sections = "".join(bot.section for bot in bots)
    texts = {
        "bots.yaml": f"{before}momentum_bots:{sections}\n{after}",
        "settings.yaml": SETTINGS,
    }
    for old, new in replaced.items():
        assert sum(text.count(old) for text in texts.values()) == 1, old
        texts = {name: text.replace(old, new) for name, text in texts.items()}
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)


def generated_market(symbols: tuple[str, ...], calendar: Path) -> MarketData:
    """The session that an engine plays that is not told which."""
    return generated(symbols, 0, calendar)


def served_market(symbols: tuple[str, ...], calendar: Path) -> MarketData:
    """The same; what else a venue that is served asks of the calendar is there then, too."""
    market = generated_market(symbols, calendar)
    with_options(market, calendar)
    return market


def commits_in(ledger: Path) -> tuple[tuple[str, ...], ...]:
    """The kinds of events of each commit that the ledger ever had."""
    commits: list[tuple[str, ...]] = []
    kinds: list[str] = []
    connection = connected_to_read(ledger)
    try:
        rows = connection.execute("SELECT kind, state NOT NULL FROM events ORDER BY seq")
        for kind, is_last in rows:
            kinds.append(kind)
            if is_last:
                commits.append(tuple(kinds))
                kinds = []
    finally:
        connection.close()
    return tuple(commits)


def wait_until(holds: Callable[[], bool], process: Running) -> bool:
    """Wait for it as long as the process runs; whether it came to be."""
    came_or_ended = eventually(lambda: holds() or process.poll() is not None, WITHIN_S)
    assert came_or_ended, "it took too long"
    return holds()
