"""A recorded session of the whole engine runs again, message by message, to the same state."""

import io
import json
import random
import re
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import apsw
import pytest
from msgspec import structs

from actors.momentum_bot import MomentumBot
from hydra import __version__
from hydra.actor import Context
from hydra.ops import flight
from hydra.ops.exit_codes import ExitCode
from hydra.ops.flight import DESCRIPTION, FOLDER, LEDGER
from hydra.research.recorded import (
    Difference,
    NotRecorded,
    RecordingDamaged,
    in_words,
    replay_session,
)
from hydra.runtime import recorder
from hydra.runtime.recording import (
    MAGIC,
    SUFFIX,
    Called,
    ChunkWriter,
    Entry,
    Failed,
    GateChanged,
    events_in,
)
from hydra.store.journal import JournalFile
from hydra.store.ledger import Ledger
from hydra.venues.simulated.faults import Lose, Repeat
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.misbehaving import MisbehavingExchange
from messages.market import BarClosed
from supervisors import paths
from tests.engine.harness import plan_of, struck
from tests.engine.scenery import (
    ENTRY_AT,
    bars_of,
    market_of,
    quiet,
    rising,
    settings_with,
    shipped_settings,
)
from tests.research.recorded_sessions import Happening, crash, halt, recorded_session, resume

BOT, OTHER_BOT = paths.bot("mom_AAPL"), paths.bot("mom_AAPL_cross")
QUICK = {"runner.loop_interval_seconds": 1}


def wandering(bars: int, seed: int) -> MarketData:
    """Prices that go up and down enough for bots to trade."""
    rng, price, closes = random.Random(seed), 100.0, []
    for _ in range(bars):
        price = round(price + rng.gauss(0.02, 0.2), 2)
        closes.append(price)
    return market_of(bars_of(closes))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a session with a few trades."""
    folder = tmp_path_factory.mktemp("recorded") / "run"
    assert recorded_session(folder, market_of(bars_of(rising(30)))) is ExitCode.CLEAN
    return folder


def test_a_recorded_session_replays_to_the_same_state(recorded: Path) -> None:
    again = replay_session(recorded)

    assert again.difference is None, str(again.difference)
    assert again.is_same
    assert again.replayed_hash is not None
    assert again.messages == sum(isinstance(e, Entry) for e in events_in(recorded / FOLDER))
    assert again.messages_per_second > 0
    assert replay_session(recorded / FOLDER).replayed_hash == again.replayed_hash


def test_how_a_replay_ended_is_told_in_words(recorded: Path) -> None:
    same = replay_session(recorded)
    found = Difference(number=1_234, at=ENTRY_AT, cell="/a", recorded="this", replayed="that")

    speed = f"{same.messages:,} messages in {same.seconds:.1f} s"
    assert in_words(same) == (f"the same: {speed} end in state {same.replayed_hash}",)
    assert in_words(structs.replace(same, difference=found, messages=1_234)) == (
        "DIFFERENT: message 1,234, 2016-04-15T13:36:05.000Z, in /a",
        "  recorded: this",
        "  replayed: that",
    )
    cut_off = structs.replace(same, incomplete="the disk was full", messages=5, seconds=0.2)
    assert in_words(cut_off) == (
        "INCOMPLETE: the disk was full; up to there nothing differs: 5 messages in 0.2 s",
    )
    assert in_words(replay_session(recorded, until=3))[0].startswith("3 messages in 0.")


def test_a_replay_leaves_the_recording_as_it_is(recorded: Path) -> None:
    def content() -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in (recorded / FOLDER).iterdir()}

    before = content()
    replay_session(recorded)

    assert content() == before
    assert set(before) == {DESCRIPTION, LEDGER, "0001.flight"}


def test_what_actors_asked_of_the_outside_is_in_the_recording(recorded: Path) -> None:
    called = {e.port for e in events_in(recorded / FOLDER) if isinstance(e, Called)}

    assert called >= {
        "conditions.present",
        "gate.arm",
        "gate.epoch",
        "gate.standing",
        "journal.append",
        "service:control_server.open",
        "venue.report_stream",
        "venue.take_snapshot",
    }
    assert not [port for port in called if port.startswith("ledger.")]  # a replay has a real one


def test_another_program_is_found_at_the_first_message_that_differs(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = MomentumBot.receive

    def see_less(self: MomentumBot, message: object, ctx: Context) -> None:
        if isinstance(message, BarClosed):
            bar = structs.replace(message.bar, close=message.bar.close - 5)
            message = structs.replace(message, bar=bar)
        receive(self, message, ctx)  # type: ignore[arg-type]

    monkeypatch.setattr(MomentumBot, "receive", see_less)

    again = replay_session(recorded)

    assert again.difference is not None
    assert not again.is_same
    assert again.replayed_hash is None
    # Who heard of it first, and what it heard then.
    assert again.difference.recorded != again.difference.replayed
    assert again.messages == again.difference.number


def copied(recorded: Path, folder: Path) -> dict[str, Any]:
    """The recording, in a folder of its own; what its description has."""
    for file in (recorded / FOLDER).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    described: dict[str, Any] = json.loads((folder / DESCRIPTION).read_bytes())
    return described


def test_another_configuration_is_found(recorded: Path, tmp_path: Path) -> None:
    described = copied(recorded, tmp_path)
    described["settings"]["risk"]["max_order_notional_usd"] = "10"
    (tmp_path / DESCRIPTION).write_bytes(flight.sealed(described))

    again = replay_session(tmp_path)

    assert again.difference is not None


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("settings", "momentum_bots", 0, "exits", "take_profit_pct"), "9.9"),
        (("settings", "guards", "equity", "max_session_drawdown_pct"), "50"),
        (("settings", "recorder", "max_mb_per_session"), 300),
        (("facts", "origin"), "another market"),
        (("version",), "0.0.1"),
    ],
)
def test_a_description_that_was_changed_by_hand_is_found_though_no_message_tells_it(
    where: tuple[str | int, ...], value: object, recorded: Path, tmp_path: Path
) -> None:
    described = copied(recorded, tmp_path)
    inside: Any = described
    for step in where[:-1]:
        inside = inside[step]
    assert inside[where[-1]] != value
    inside[where[-1]] = value
    (tmp_path / DESCRIPTION).write_text(json.dumps(described))

    with pytest.raises(NotRecorded, match="changed since it was written") as refused:
        replay_session(tmp_path)

    assert str(refused.value).startswith(f"{tmp_path / DESCRIPTION}: ")


def test_a_description_of_a_version_that_sealed_none_is_read(
    recorded: Path, tmp_path: Path
) -> None:
    described = copied(recorded, tmp_path)
    del described["checksum"]
    (tmp_path / DESCRIPTION).write_text(json.dumps(described))

    assert replay_session(tmp_path).is_same


@pytest.mark.parametrize(
    ("file", "content", "wanted"),
    [
        (DESCRIPTION, None, "found no recording of a session; wanted session.json"),
        ("0001.flight", None, "found no recording of a session"),
        (LEDGER, None, "found no ledger; wanted the session's, as it began"),
        (DESCRIPTION, b"{}", "missing required field `format`"),
    ],
)
def test_what_is_not_there_is_said(
    recorded: Path, tmp_path: Path, file: str, content: bytes | None, wanted: str
) -> None:
    for each in (recorded / FOLDER).iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)

    with pytest.raises(NotRecorded, match=wanted):
        replay_session(tmp_path)


def torn(ledger: Path) -> None:
    ledger.write_bytes(ledger.read_bytes()[:5_000])


def of_a_later_version(ledger: Path) -> None:
    connection = apsw.Connection(str(ledger))
    connection.pragma("user_version", 99)
    connection.close()


@pytest.mark.parametrize(
    ("spoil", "wanted"),
    [
        (torn, "found a damaged ledger, or none (CorruptError: "),
        (lambda ledger: ledger.write_bytes(b"no database" * 1_000), "(NotADBError: "),
        (lambda ledger: ledger.write_bytes(b""), "found no ledger; wanted the session's"),
        (
            of_a_later_version,
            f"a later Hydra wrote; replay it with the version that recorded it, {__version__}",
        ),
    ],
)
def test_a_ledger_that_cannot_be_used_is_said_of_the_recording(
    recorded: Path, tmp_path: Path, spoil: Callable[[Path], object], wanted: str
) -> None:
    for each in (recorded / FOLDER).iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    spoil(tmp_path / LEDGER)

    with pytest.raises(NotRecorded, match=re.escape(wanted)) as refused:
        replay_session(tmp_path)

    told = str(refused.value)
    assert told.startswith(f"{tmp_path / LEDGER}: ")
    assert "backup" not in told and "/hydra-replay-" not in told and "\n" not in told


def test_a_recording_of_another_version_s_words_is_refused(recorded: Path, tmp_path: Path) -> None:
    for each in (recorded / FOLDER).iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    writer = ChunkWriter()
    for event in events_in(recorded / FOLDER):
        writer.add(GateChanged(b"\x91\x80") if isinstance(event, GateChanged) else event)
    for each in tmp_path.glob(f"*{SUFFIX}"):
        each.unlink()
    (tmp_path / f"0001{SUFFIX}").write_bytes(MAGIC + writer.taken())

    with pytest.raises(NotRecorded, match=r"what this version cannot read .*; replay it with"):
        replay_session(tmp_path)


def test_a_recording_of_another_format_is_refused(recorded: Path, tmp_path: Path) -> None:
    described = copied(recorded, tmp_path)
    (tmp_path / DESCRIPTION).write_bytes(flight.sealed({**described, "format": 2}))

    with pytest.raises(NotRecorded, match="found format 2, wanted 1"):
        replay_session(tmp_path)


def test_settings_that_this_version_does_not_have_are_said(recorded: Path, tmp_path: Path) -> None:
    described = copied(recorded, tmp_path)
    described["settings"]["risk"]["max_moons"] = 1
    (tmp_path / DESCRIPTION).write_bytes(flight.sealed(described))

    with pytest.raises(NotRecorded, match=r"not one of this version: risk\.max_moons: "):
        replay_session(tmp_path)


def test_code_of_others_that_the_session_ran_with_and_that_is_not_here_is_said(
    recorded: Path, tmp_path: Path
) -> None:
    described = copied(recorded, tmp_path)
    described["settings"]["momentum_bots"][0]["signal"]["mode"] = "brought_along"
    (tmp_path / DESCRIPTION).write_bytes(flight.sealed(described))

    with pytest.raises(NotRecorded, match="found brought_along, no such strategy") as refused:
        replay_session(tmp_path)

    assert str(refused.value).startswith(f"{tmp_path}: ")
    assert "\n" not in str(refused.value)


def test_a_recording_that_is_damaged_is_refused(recorded: Path, tmp_path: Path) -> None:
    for each in (recorded / FOLDER).iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    data = bytearray((tmp_path / "0001.flight").read_bytes())
    data[-10] ^= 1
    (tmp_path / "0001.flight").write_bytes(data)

    with pytest.raises(RecordingDamaged, match=r"0001\.flight: a chunk does not fit its checksum"):
        replay_session(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "method", "nth"), [(Ledger, "commit", 5), (JournalFile, "append", 12)]
)
def test_a_disk_that_failed_fails_in_the_replay_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, nth: int
) -> None:
    run, works, calls = tmp_path / "run", getattr(owner, method), count(1)

    def fails(self: object, *arguments: object, **named: object) -> object:
        # Only what an actor does: the session itself writes to neither while it runs.
        is_actors = threading.current_thread().name.startswith("hydra-")
        if is_actors and next(calls) == nth:
            raise OSError("no space left on device")
        return works(self, *arguments, **named)

    with monkeypatch.context() as full:
        full.setattr(owner, method, fails)
        recorded_session(run, market_of(bars_of(rising(20))))

    again = replay_session(run)

    failed = [e.detail for e in events_in(run / FOLDER) if isinstance(e, Failed)]
    assert "receive: OSError: no space left on device" in failed
    assert again.is_same, f"{again.incomplete}{again.difference}"


def test_a_session_without_the_recorder_leaves_no_recording(tmp_path: Path) -> None:
    off = settings_with({"recorder.enabled": False})

    assert recorded_session(tmp_path / "run", market_of(bars_of(rising(3))), settings=off) == 0

    assert not (tmp_path / "run" / FOLDER).exists()


def test_a_recording_ends_at_the_size_that_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flight, "MEBIBYTE", 1_000)
    monkeypatch.setattr(recorder, "CHUNK_EVENTS", 16)
    small, out = settings_with({"recorder.max_mb_per_session": 3}), io.StringIO()

    recorded_session(tmp_path / "run", quiet(8), settings=small, out=out)

    assert out.getvalue().count("the session is not recorded any further: it has come to ") == 1
    assert 3_000 <= (tmp_path / "run" / FOLDER / "0001.flight").stat().st_size < 6_000


def test_a_recording_that_cannot_be_begun_is_said_and_the_session_is_played(
    tmp_path: Path,
) -> None:
    out, run = io.StringIO(), tmp_path / "run"
    run.mkdir(mode=0o700)
    (run / FOLDER).write_text("somebody else's")

    assert recorded_session(run, market_of(bars_of(rising(3))), out=out) is ExitCode.CLEAN

    assert out.getvalue().count("the session is not recorded any further: ") == 1
    journal = (run / "logs" / "app.jsonl").read_text()
    assert journal.count('"event":"flight_recording_ended"') == 1


@pytest.mark.slow
def test_a_session_with_a_halt_a_restart_and_a_quarantined_bot_replays_to_the_same_state(
    tmp_path: Path,
) -> None:
    happenings = {
        8: halt,
        10: resume,
        14: crash(paths.DATA_FEED),
        20: crash(OTHER_BOT, times=4),
        25: crash(BOT),
    }

    code = recorded_session(
        tmp_path / "run",
        wandering(40, seed=1),
        happenings=happenings,
        settings=settings_with(QUICK),
    )

    again = replay_session(tmp_path / "run")
    assert code is ExitCode.CLEAN
    assert again.is_same, f"{again.incomplete}{again.difference}"
    failed = [e.cell for e in events_in(tmp_path / "run" / FOLDER) if isinstance(e, Failed)]
    assert failed.count(OTHER_BOT.path) == 4
    assert failed.count(BOT.path) == 1


CRASHING = (
    BOT,
    OTHER_BOT,
    paths.EXIT_BOT,
    paths.PORTFOLIO_BOT,
    paths.RISK_GUARDIAN,
    paths.BROKER_GATEWAY,
    paths.STATE_PERSISTER,
    paths.JOURNAL_WRITER,
    paths.DATA_FEED,
    paths.HEALTH_MONITOR,
    paths.FLATTENER,
    paths.REPORTER,
    paths.EXECUTION_MONITOR,
)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 100, 10))
def test_a_hundred_seeds_of_sessions_in_which_things_go_wrong_replay_to_the_same_state(
    tmp_path: Path, first: int
) -> None:
    """Some of them fail closed: those end as they did too."""
    for seed in range(first, first + 10):
        rng = random.Random(seed)
        happenings: dict[int, Happening] = {
            place: rng.choice((halt, crash(rng.choice(CRASHING)), crash(BOT, times=4)))
            for place in rng.sample(range(4, 24), rng.randrange(3))
        }
        exchange = None
        if rng.random() < 0.3:
            losing = struck(Lose(), what="OrderFilled", times=None, rate=0.2)
            repeating = struck(Repeat(), what="OrderAccepted", times=None, rate=0.3)
            exchange = MisbehavingExchange(plan_of(losing, repeating, seed=seed))
        run = tmp_path / str(seed)

        recorded_session(
            run,
            wandering(25, seed),
            happenings=happenings,
            settings=shipped_settings(),
            exchange=exchange,
            seed=seed,
        )

        again = replay_session(run)
        assert again.is_same, f"seed {seed}: {again.incomplete}{again.difference}"
