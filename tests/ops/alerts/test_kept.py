"""What the watch keeps: it comes back as it was, and nothing that happens to its files stops it."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from hydra.ops.alerts import kept as module
from hydra.ops.alerts.delivery import Waiting, put
from hydra.ops.alerts.kept import Kept, KeptFiles
from tests.ops.alerts.test_delivery import message
from tests.ops.alerts.test_wording import LOSS

ALL = Kept(
    incidents={LOSS.key: LOSS},
    waiting={"JSON 1": put(Waiting(), message())},
    process="process 7",
    daily_on="2026-11-23",
    daily_equity="1.5",
    told_since_daily=3,
)


def files_in(folder: Path) -> KeptFiles:
    files = KeptFiles(folder / "alerts")
    files.make_folder()
    return files


def test_what_is_saved_is_loaded_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.save(Kept())
    files.save(ALL)
    files.write_down({"a": 1})

    assert KeptFiles(tmp_path / "alerts").load() == (ALL, None)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.state.parent.iterdir()} == {0o600}


def test_where_nothing_is_kept_it_begins_anew_without_a_word(tmp_path: Path) -> None:
    assert files_in(tmp_path).load() == (Kept(), None)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version": 2}', b"\xff\x00", b'{"incidents": {"\xff": {}}}'],
)
def test_what_cannot_be_gone_on_with_is_kept_aside_and_told(tmp_path: Path, content: bytes) -> None:
    files = files_in(tmp_path)
    files.state.write_bytes(content)

    kept, fault = files.load()

    assert kept == Kept()
    assert fault is not None and str(files.state) in fault and "began anew" in fault
    assert files.state.with_name("state.json.unread").read_bytes() == content
    files.save(ALL)
    assert files.load() == (ALL, None)


def test_a_save_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.save(ALL)
    files.state.with_name("state.json.new").mkdir()

    with pytest.raises(IsADirectoryError):
        files.save(Kept())
    assert files.load() == (ALL, None)


def test_the_history_has_each_line_and_passes_over_a_torn_one(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.write_down({"n": 1}, {"n": 2})
    with files.history.open("ab") as history:
        history.write(b'{"n": \n{"n": "\xff"}\n')
    files.write_down({"n": 3})

    assert files.told(2) == [{"n": 2}, {"n": 3}]


def test_a_history_that_is_full_becomes_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HISTORY_MAX", 100)
    files = files_in(tmp_path)
    for number in range(40):
        files.write_down({"n": number, "padding": "x" * 20})

    names = sorted(path.name for path in files.state.parent.iterdir())
    sizes = [path.stat().st_size for path in files.state.parent.iterdir()]
    last = [line["n"] for line in files.told(3)]
    assert (names, max(sizes) <= 150, last) == (
        ["alerts.1.jsonl", "alerts.jsonl"],
        True,
        [37, 38, 39],
    )


def test_what_is_kept_has_a_version_of_its_own() -> None:
    assert msgspec.to_builtins(Kept())["version"] == 1
