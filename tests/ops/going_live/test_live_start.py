"""A start on live: refused, allowed on a ground that is on record, or there for its exits alone."""

from __future__ import annotations

import io
import os
import shutil
import signal
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hydra import __version__
from hydra.ops.broker_account import NoAccount
from hydra.ops.config.history import About, keep, read_files
from hydra.ops.exit_codes import ExitCode
from hydra.ops.going_live import allowance
from hydra.ops.going_live.allowance import LIVE_ALLOWED, Allowed, LiveWord, write_word
from hydra.ops.going_live.judging import MICRO, SHOWN, LiveVerdict
from hydra.ops.going_live.looking import as_configured, live_record_at_rest, live_verdict
from hydra.ops.reload_source import ConfigSource
from hydra.ops.run_broker import run_broker
from hydra.ops.session import RunOptions
from hydra.plugins import fault_in_signal
from hydra.settings import Settings, VenueName, load_settings
from hydra.settings.live_profile import with_entries_closed
from hydra.settings.secret import Secret
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.store.redaction import Redactor
from hydra.trading.durations import SECOND
from hydra.trading.strategy_modes import StrategyMode
from hydra.venues.alpaca.access import LIVE, Access
from hydra.venues.alpaca.network import Network
from hydra.venues.market_sessions import exchange_sessions
from tests.ops.going_live.days import day, kept
from tests.ops.reloading import CONFIG, Followed
from tests.store.orders import approved

TODAY = datetime.now(UTC).date()


class Machine:
    """A folder with settings for live, a track record of paper and the record of live."""

    def __init__(self, folder: Path, profile: str = "full") -> None:
        self.folder = folder
        self.paper = folder / "paper"
        self.config = Path(shutil.copytree(CONFIG, folder / "config"))
        self.edit("resume: preflight", "resume: operator")
        self.edit("profile: off", f"profile: {profile}")
        self.edit("paper_ledger: state/trading_state.db", f"paper_ledger: {self.paper}/paper.db")
        self.files = EngineFiles.under(
            folder / "state", folder / "logs", "trading_state.db", "app.jsonl"
        )

    def edit(self, old: str, new: str, name: str = "settings.yaml") -> None:
        text = (self.config / name).read_text()
        assert text.count(old) >= 1, old
        (self.config / name).write_text(text.replace(old, new, 1))

    @property
    def settings(self) -> Settings:
        return load_settings(self.config, venue=VenueName.LIVE, signal_check=fault_in_signal)

    def traded_on_paper(self, dates: tuple[str, ...], configuration: str | None = None) -> None:
        named = configuration or as_configured(self.settings, None).traded_as
        kept(self.paper, (day(each, named) for each in dates))

    def keep_as_of_paper(self) -> None:
        """The files as they are now were in force on paper once."""
        settings = load_settings(self.config, venue=VenueName.PAPER)
        about = About(digest=settings.digest, venue="paper", at=1, how="start")
        keep(self.paper / "configurations", read_files(self.config), about)

    def start(self, mode: StrategyMode | None = None) -> ExitCode:
        """Until it has been allowed and asks for a broker that nobody answers for."""
        nowhere = Network(loopback_only=False, resolve=lambda _host, _port: [])
        return run_broker(
            self.settings,
            Access(LIVE, Secret("key"), Secret("secret"), nowhere),
            self.files,
            RunOptions(seed=0, speed=1.0, dry_run=False, strategy_mode=mode),
            Heard(),
            Redactor(()),
        )

    def judged(self) -> LiveVerdict:
        """What a start would be told; nothing is started."""
        record, cache = live_record_at_rest(self.files), self.files.cache
        return live_verdict(self.settings, None, self.files, record, time.time_ns(), cache=cache)

    def refused(self) -> str:
        found = self.judged()
        assert (found.allowed, found.closed, "\n" in found.line) == (None, False, False)
        return found.line

    def start_is_refused(self) -> str:
        with pytest.raises(NoAccount) as refused:
            self.start()
        assert refused.value.code is ExitCode.PREFLIGHT_FAILED
        return str(refused.value)

    @property
    def on_record(self) -> Allowed | None:
        return live_record_at_rest(self.files).allowed

    def open_record(self) -> EngineRecord:
        owner = Owner(
            venue="live",
            account=None,
            version=__version__,
            configuration="",
            at=time.time_ns(),
            wall_at=time.time_ns(),
        )
        return EngineRecord.open(self.files, owner)


class Heard(io.StringIO):
    """What a start says; it is asked to stop once it waits for the broker."""

    def write(self, text: str) -> int:
        if "trying again" in text:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().write(text)


def ended_sessions(count: int, *, before: int = 0) -> tuple[str, ...]:
    """The dates of so many of the exchange's sessions that have ended, up to the newest but so
    many.
    """
    table = exchange_sessions(
        (TODAY - timedelta(days=90)).isoformat(), TODAY.isoformat(), None
    ).sessions
    dates = [each.date for each in table if each.close_at <= time.time_ns()]
    return tuple(dates[len(dates) - before - count : len(dates) - before])


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exchange's days, computed once for all of these."""
    folder = tmp_path_factory.mktemp("calendar")
    exchange_sessions((TODAY - timedelta(days=500)).isoformat(), TODAY.isoformat(), folder)
    return folder


@pytest.fixture
def machine(tmp_path: Path, calendar: Path) -> Machine:
    made = Machine(tmp_path)
    made.files.ledger.parent.mkdir(mode=0o700)
    shutil.copytree(calendar, made.files.cache)
    return made


def test_shipped_live_is_closed_and_the_first_step_is_said(tmp_path: Path) -> None:
    said = Machine(tmp_path, "off").start_is_refused()

    assert said == (
        "venue live: found live.profile off in settings.yaml, wanted micro (low limits) or full"
        " (once paper has shown this configuration); docs/going-live.md says how to begin"
    )


def test_micro_needs_no_days_and_is_on_record(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "micro")

    assert machine.start() is ExitCode.CLEAN
    assert machine.on_record == Allowed(
        ground=MICRO, traded_as=as_configured(machine.settings, None).traded_as
    )


def test_without_a_track_record_full_is_refused_in_one_line_that_says_what_to_do(
    machine: Machine,
) -> None:
    assert machine.refused() == (
        f"found no track record of paper in {machine.paper}/track_record (live.paper_ledger says"
        " where it is); wanted 14 in a row, the newest no older than 5 sessions; trade it on paper"
        " with a snapshot each day, set live.profile: micro, or `hydra-trader config accept-live"
        " --reason ...`"
    )
    assert machine.on_record is None


def test_fourteen_clean_sessions_with_this_configuration_open_it(machine: Machine) -> None:
    dates = ended_sessions(14)
    machine.traded_on_paper(dates)

    assert machine.start() is ExitCode.CLEAN
    assert machine.on_record == Allowed(
        ground=SHOWN, traded_as=as_configured(machine.settings, None).traded_as, newest=dates[-1]
    )


def test_thirteen_do_not(machine: Machine) -> None:
    machine.traded_on_paper(ended_sessions(13))

    assert "found 13 clean sessions in a row on paper with this configuration" in machine.refused()


def test_days_of_another_configuration_do_not_count(machine: Machine) -> None:
    machine.traded_on_paper(ended_sessions(14))
    machine.edit("max_order_notional_usd: 25000", "max_order_notional_usd: 25001")

    assert "open for trading for 0 min of 390 min with this configuration" in machine.refused()


def test_what_is_tighter_than_what_was_tested_is_tested(machine: Machine) -> None:
    machine.traded_on_paper(ended_sessions(14))
    machine.keep_as_of_paper()
    machine.edit("max_order_notional_usd: 25000", "max_order_notional_usd: 24000")
    tighter = machine.judged().allowed

    assert tighter is not None and tighter.ground == SHOWN
    machine.edit("max_order_notional_usd: 24000", "max_order_notional_usd: 25001")
    assert "with this configuration" in machine.refused()


@pytest.mark.parametrize("how", ["changed", "newest changed", "gone", "unreadable", "no copy"])
def test_a_track_record_that_is_not_what_was_written_shows_nothing(
    machine: Machine, how: str
) -> None:
    dates = ended_sessions(16)
    machine.traded_on_paper(dates)
    days = machine.paper / "track_record" / "snapshots"
    second, newest = days / f"{dates[1]}.json", days / f"{dates[-1]}.json"
    match how:
        case "changed":
            second.write_bytes(second.read_bytes().replace(b"100000.5", b"100001.5"))
        case "newest changed":
            newest.write_bytes(newest.read_bytes().replace(b"100000.5", b"100001.5"))
        case "gone":
            second.unlink()
        case "unreadable":
            second.unlink()
            second.mkdir()
        case _:
            (machine.paper / "track_record" / "latest.json").unlink()

    assert "found a track record of paper that cannot be relied on (" in machine.refused()


def test_an_operators_word_holds_for_this_configuration_alone(machine: Machine) -> None:
    settings = as_configured(machine.settings, None)
    word = LiveWord(configuration=settings.digest, reason="a trial", by="uid 7", at=1)
    write_word(machine.files.configurations, word)

    assert machine.start() is ExitCode.CLEAN
    found = machine.on_record
    assert found is not None and found.word == word
    assert allowance.in_words(allowance.written(found)) == "accepted: a trial (uid 7)"

    machine.edit("max_order_notional_usd: 25000", "max_order_notional_usd: 24000")
    assert "what `config accept-live` was said of is another one" in machine.start_is_refused()
    assert machine.on_record is None


def test_a_word_for_a_safer_mode_is_none_for_a_bolder_one(machine: Machine) -> None:
    settings = as_configured(machine.settings, StrategyMode.CONSERVATIVE)
    word = LiveWord(configuration=settings.digest, reason="a trial", by="uid 7", at=1)
    write_word(machine.files.configurations, word)

    assert machine.start(StrategyMode.CONSERVATIVE) is ExitCode.CLEAN
    assert "what `config accept-live` was said of is another one" in machine.refused()


def allowed_before(machine: Machine, idle: int, traded_as: str | None = None) -> Allowed:
    """Live was started by days on paper that are old by now, and has not traded for so many
    sessions.
    """
    (last,) = ended_sessions(1, before=idle)
    machine.traded_on_paper(ended_sessions(14, before=20))
    (newest,) = ended_sessions(1, before=20)
    named = traded_as or as_configured(machine.settings, None).traded_as
    allowed = Allowed(ground=SHOWN, traded_as=named, newest=newest)
    now, record = time.time_ns(), machine.open_record()
    record.ledger.put(LIVE_ALLOWED, allowance.written(allowed), now)
    record.ledger.grant_budget("mom_AAPL", last, Decimal(10), now)
    record.end("a test", now)
    record.close()
    return allowed


def test_what_allowed_it_allows_it_again_while_live_goes_on(machine: Machine) -> None:
    allowed = allowed_before(machine, 5)

    assert machine.start() is ExitCode.CLEAN
    assert machine.on_record == allowed


def test_another_configuration_was_not_allowed_by_it(machine: Machine) -> None:
    allowed_before(machine, 5, traded_as="another")

    assert "since when 20 have ended" in machine.refused()


def test_a_pause_of_live_ends_what_was_allowed_and_no_refused_start_renews_it(
    machine: Machine,
) -> None:
    allowed_before(machine, 6)

    for _ in range(2):
        assert "since when 20 have ended" in machine.start_is_refused()
        assert machine.on_record is None


def test_with_an_order_on_record_it_starts_for_its_exits_alone(machine: Machine) -> None:
    record = machine.open_record()
    record.ledger.record_intent(approved(), time.time_ns())
    record.ledger.commit()
    record.close()  # as upon kill -9

    assert machine.start() is ExitCode.CLEAN
    assert machine.on_record is None


def closed(folder: Path) -> Followed:
    """An engine on live's settings that was started for its exits alone."""
    machine = Machine(folder)
    source = ConfigSource(machine.config, venue=VenueName.LIVE, signal_check=fault_in_signal)
    return Followed(folder, source=source.holding_to(with_entries_closed)).begun()


def test_then_nothing_is_entered_and_what_is_held_is_closed(tmp_path: Path) -> None:
    engine = closed(tmp_path)
    engine.life.enter()
    engine.life.run_for(90 * SECOND)

    assert engine.denials == ["trading_is_open"]
    assert engine.world.positions == {}
    assert {"live_closed:mom_AAPL", "live_closed:mom_AAPL_cross"} <= set(engine.life.causes)


def test_then_a_reload_takes_what_is_tighter_and_opens_nothing(tmp_path: Path) -> None:
    engine = closed(tmp_path)
    engine.reloads("max_order_notional_usd: 25000", "max_order_notional_usd: 24000")

    assert engine.reload.in_force.risk.max_order_notional_usd == 24_000
    assert engine.reload.pending is None
    assert "live_closed:mom_AAPL" in engine.life.causes
