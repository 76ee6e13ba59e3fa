"""The bridge: what it reads is told, what was done is kept, and what it cannot see is closed."""

import errno
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hydra.actor import Ref
from hydra.ops.broker_account import NoAccount
from hydra.ops.ending import LastResort
from hydra.ops.exit_codes import ExitCode
from hydra.ops.session import RunMarket, RunOptions, Session
from hydra.ops.signal_bridge import BAD_LINES_KEPT, GOOD_FOR_S, SignalBridge
from hydra.outsiders import NO_SIGNALS
from hydra.store.connection import IN_MEMORY
from hydra.store.engine_files import EngineFiles
from hydra.store.ledger import Ledger
from hydra.store.private_files import make_private_folder
from hydra.store.signal_record import SignalRecord, SignalRecordDamaged
from hydra.testkit import Kit, Probe
from hydra.trading.kill_switch import Sight, Unreadable
from messages.signals import SignalDone, SignalNote, SignalRead
from tests.engine.scenery import quiet, settings_with


def line(name: str, **changes: object) -> str:
    content = {
        "id": name,
        "symbol": "AAPL",
        "action": "buy",
        "at": "2016-04-15T13:40:00Z",
        "quantity": 1,
        **changes,
    }
    return json.dumps(content) + "\n"


class Bench:
    """A bridge on files of its own, and a probe in the bot's place."""

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        self.kit = Kit()
        self.folder = folder
        self.bot: Probe = self.kit.probe("bot")
        self.file = folder / "signals.jsonl"
        self.kill = folder / "kill"
        self.now = 0.0
        self.bridge = self.begin()

    def begin(self, **how: Any) -> SignalBridge:
        return SignalBridge(
            self.kit.runtime,
            self.bot.ref,
            self.file,
            self.kill,
            SignalRecord(self.folder / "kept"),
            monotonic=lambda: self.now,
            **how,
        )

    def restart(self) -> None:
        self.bridge.stop(1.0)
        self.bot.clear()
        self.bridge = self.begin()

    def write(self, text: str) -> None:
        with self.file.open("a") as file:
            file.write(text)

    def look(self) -> list[str]:
        """The ids of the signals that one look brings."""
        self.bot.clear()
        self.bridge.look_once()
        self.kit.settle()
        return [each.signal.id for each in self.bot.told if isinstance(each, SignalRead)]

    def note(self, name: str, done: SignalDone) -> None:
        self.bridge.note(SignalNote(id=name, at=1, done=done))

    def kept(self, name: str) -> list[dict[str, Any]]:
        text = (self.folder / "kept" / name).read_text()
        return [json.loads(each) for each in text.splitlines()]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "bridge")
    yield bench
    bench.bridge.stop(1.0)


def test_each_signal_is_told_once_and_again_when_it_is_asked_for(bench: Bench) -> None:
    bench.write(line("a") + line("b"))

    first, second = bench.look(), bench.look()
    bench.bridge.report()
    asked = bench.look()

    assert (first, second, asked) == (["a", "b"], [], ["a", "b"])


def test_what_has_its_end_is_never_told_again_whatever_becomes_of_the_file_i16(
    bench: Bench,
) -> None:
    bench.write(line("a") + line("b"))
    bench.look()
    bench.note("a", SignalDone.REFUSED)
    bench.note("b", SignalDone.WANTED)
    bench.look()
    bench.restart()
    after_restart = bench.look()
    bench.file.write_text(line("c") + line("a") + line("b"))
    after_rewrite = bench.look()
    bench.note("b", SignalDone.COMPLETE)
    bench.note("c", SignalDone.DENIED)
    bench.restart()
    bench.file.write_text(line("b") + line("a") + line("d") + line("c"))

    assert (after_restart, after_rewrite, bench.look()) == (["b"], ["c"], ["d"])
    assert [(each["id"], each["done"]) for each in bench.kept("orders.jsonl")] == [
        ("a", "refused"),
        ("b", "wanted"),
        ("b", "complete"),
        ("c", "denied"),
    ]


def test_a_bad_line_is_set_aside_with_its_number_and_reason_and_ends_nothing(bench: Bench) -> None:
    bench.write(line("a") + "buy some\n\n" + line("b", symbol="no") + line("c"))

    told = bench.look()

    assert told == ["a", "c"]
    assert [(each["line"], each["content"][:8]) for each in bench.kept("bad_lines.jsonl")] == [
        (2, "buy some"),
        (4, '{"id": "'),
    ]
    assert {each["file"] for each in bench.kept("bad_lines.jsonl")} == {str(bench.file)}


def test_a_writer_gone_mad_does_not_fill_the_disk(bench: Bench) -> None:
    bench.write("x\n" * (BAD_LINES_KEPT + 50) + line("a"))

    assert bench.look() == ["a"]
    assert len(bench.kept("bad_lines.jsonl")) == BAD_LINES_KEPT


def test_it_is_closed_until_it_has_looked_and_when_its_look_has_grown_old(bench: Bench) -> None:
    before = bench.bridge.why_closed()
    bench.look()
    after = bench.bridge.why_closed()
    bench.now = GOOD_FOR_S
    just_good = bench.bridge.why_closed()
    bench.now = GOOD_FOR_S + 0.1

    assert (before, after, just_good) == ("the bridge has not looked yet", None, None)
    assert bench.bridge.why_closed() == "the bridge's last look is 2.1 s old, at most 2 s allowed"


def test_its_kill_file_closes_it_whatever_it_says_and_its_absence_opens_it(bench: Bench) -> None:
    closed = []
    for content in ("", "halt_all\n", "off"):
        bench.kill.write_text(content)
        bench.look()
        closed.append(bench.bridge.why_closed())
    bench.kill.unlink()
    bench.look()

    assert closed == [f"its kill file {bench.kill} is there; remove it to take that back"] * 3
    assert bench.bridge.why_closed() is None


def test_a_kill_file_that_cannot_be_looked_at_counts_as_there(bench: Bench) -> None:
    def unreadable(_path: Path) -> Sight:
        return Unreadable("cannot be read (Input/output error)")

    bench.bridge.stop(1.0)
    bench.bridge = bench.begin(read_kill=unreadable)
    bench.look()

    assert bench.bridge.why_closed() == (
        f"its kill file {bench.kill} cannot be read (Input/output error)"
    )


def test_a_signals_file_that_cannot_be_trusted_closes_it(bench: Bench) -> None:
    bench.write(line("a"))
    bench.file.chmod(0o666)

    told = bench.look()

    assert told == []
    assert "can be written to by everybody" in (bench.bridge.why_closed() or "")


def test_in_virtual_time_each_signal_comes_at_its_own_time(bench: Bench) -> None:
    bench.write(line("b", at="2016-04-15T13:41:00Z") + line("a"))
    due: list[tuple[int, Any]] = []

    bench.bridge.play(lambda at, tell: due.append((at, tell)), since=0)

    assert bench.bot.told == []
    for _, tell in sorted(due, key=lambda each: each[0]):
        tell()
    bench.kit.settle()
    assert [each.signal.id for each in bench.bot.told if isinstance(each, SignalRead)] == ["a", "b"]


def test_a_record_of_signals_that_cannot_be_read_is_refused_and_a_torn_end_is_not(
    tmp_path: Path,
) -> None:
    record = SignalRecord(tmp_path / "kept")
    record.note(SignalNote(id="a", at=1, done=SignalDone.DENIED))
    record.close()
    with record.orders.open("ab") as file:
        file.write(b'{"id":"b","at"')
    again = SignalRecord(tmp_path / "kept")
    again.note(SignalNote(id="c", at=1, done=SignalDone.DENIED))
    again.close()
    third = SignalRecord(tmp_path / "kept")
    third.close()
    with record.orders.open("ab") as file:
        file.write(b"nonsense\n")

    assert [name in third.ended for name in "abc"] == [True, False, True]
    with pytest.raises(SignalRecordDamaged, match=r"orders\.jsonl:3"):
        SignalRecord(tmp_path / "kept")


def test_a_full_disk_leaves_no_piece_of_a_line_before_the_next_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, pieces = os.write, [10]

    def full_after_a_piece(descriptor: int, content: bytes) -> int:
        if not pieces:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content[: pieces.pop()])

    monkeypatch.setattr(os, "write", full_after_a_piece)
    bench.note("a", SignalDone.ENDED)
    with pytest.raises(OSError, match="No space"):
        bench.look()
    monkeypatch.undo()  # somebody made room
    bench.note("b", SignalDone.ENDED)

    bench.restart()

    assert [each["id"] for each in bench.kept("orders.jsonl")] == ["b"]


def test_a_thread_of_its_own_looks_and_closing_it_keeps_what_was_said(bench: Bench) -> None:
    heard = []
    ref: Ref[Any] = Ref("/nobody")
    bridge = SignalBridge(
        bench.kit.runtime,
        ref,
        bench.file,
        bench.kill,
        SignalRecord(bench.folder / "other"),
        period_s=0.01,
    )
    bridge.start()
    while bridge.why_closed() is not None:  # ends with the test's time limit at the latest
        heard.append(1)
    bridge.note(SignalNote(id="z", at=1, done=SignalDone.ENDED))

    assert bridge.stop(5.0)
    assert '"id":"z"' in (bench.folder / "other" / "orders.jsonl").read_text()


def test_a_record_of_signals_that_cannot_be_read_refuses_the_start_with_exit_code_13(
    tmp_path: Path,
) -> None:
    files = EngineFiles.under(tmp_path / "state", tmp_path / "logs", "ledger.db", "app.jsonl")
    make_private_folder(files.signals)
    orders = files.signals / "orders.jsonl"
    orders.write_text("nonsense\n")
    orders.chmod(0o600)
    record: Any = SimpleNamespace(ledger=Ledger.open(IN_MEMORY, venue="embedded", at=0))
    session = Session(
        settings_with({"signalbot.enabled": True}),
        files,
        RunOptions(seed=0, speed=None, dry_run=False),
        record,
        RunMarket(mode="test", account="PA", facts=quiet(), at=0, ends_at=None, said_first=()),
        io.StringIO(),
        LastResort(),
    )

    with pytest.raises(NoAccount, match=r"orders\.jsonl:1") as refused:
        session.open_signals(Kit().runtime, lambda: 0.0)

    assert refused.value.code is ExitCode.DURABILITY_REFUSED
    assert session.signals is NO_SIGNALS
