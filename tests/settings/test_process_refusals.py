"""A bad configuration ends the process with code 10, before it touches anything."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from tests.settings.corpus import DAMAGE, EDITS, HOSTILE
from tests.settings.fine import load
from tests.thinned import thinned

HOME = Path(__file__).resolve().parent.parent.parent

LIGHT = {name: make for name, make in HOSTILE.items() if name not in ("100 MB", "a million keys")}


def _written(make: Callable[[], str]) -> Callable[[Path], object]:
    return lambda folder: (folder / "bots.yaml").write_text(make())


BAD: dict[str, Callable[[Path], object]] = {
    **{f"edit {number}: {edit.name}": edit.damage for number, edit in enumerate(EDITS)},
    **{f"file: {name}": damage for name, damage in DAMAGE.items()},
    **{f"hostile: {name}": _written(make) for name, make in LIGHT.items()},
}

_acts: list[str] | None = None
_others: frozenset[int | None] = frozenset()
"""Threads that other tests left behind: what they do is not what is tested."""


def _notice(event: str, arguments: tuple[object, ...]) -> None:
    if _acts is None or threading.get_ident() in _others:
        return
    makes_something = event in ("os.mkdir", "subprocess.Popen", "sqlite3.connect")
    if makes_something or event.startswith("socket."):
        _acts.append(f"{event} {arguments}")
    elif event == "open":
        flags = arguments[2]
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        if isinstance(flags, int) and flags & writes:
            _acts.append(f"{event} {arguments}")


@pytest.fixture(scope="module", autouse=True)
def _hook() -> None:
    """Once: what Python is told to watch it watches until its end."""
    load_everything = main(["--config", "/nowhere"])
    assert load_everything == ExitCode.CONFIGURATION_REFUSED
    sys.addaudithook(_notice)


@pytest.fixture
def acts() -> Iterator[list[str]]:
    """What this process does to the outside, while the test has it."""
    # An audit hook cannot be taken back, only be told to look away.
    global _acts, _others  # noqa: PLW0603
    here = threading.current_thread()
    _others = frozenset(each.ident for each in threading.enumerate() if each is not here)
    _acts = []
    yield _acts
    _acts = None


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a fine configuration and nothing else."""
    (tmp_path / "config").mkdir()
    load(tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "config"


def test_there_are_more_than_two_hundred_bad_configurations_i78() -> None:
    assert len(BAD) >= 200


@pytest.mark.parametrize("name", thinned(BAD, 3))
def test_the_engine_does_not_start_with_a_bad_configuration_i78(
    name: str, folder: Path, acts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    BAD[name](folder)
    acts.clear()

    code = main([])

    out, err = capsys.readouterr()
    done = list(acts)
    assert (code, out) == (ExitCode.CONFIGURATION_REFUSED, "")
    lines = err.splitlines()
    assert lines
    assert [line for line in lines if not line.startswith("config/")] == []
    assert done == []  # no connection, no folder, no file, no process
    assert [path.name for path in folder.parent.iterdir() if path.name != "config"] == []


def test_what_the_engine_must_not_do_would_be_noticed(folder: Path, acts: list[str]) -> None:
    import socket

    socket.socket().close()
    (folder / "made").mkdir()
    (folder / "written").write_text("")

    assert [act.split()[0] for act in acts] == ["socket.__new__", "os.mkdir", "open"]


@pytest.mark.parametrize(
    "command", [["hydra.main"], pytest.param(["hydra.cli", "run"], marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", ["file: empty", "file: a pipe", "hostile: alias bomb"])
def test_the_process_ends_with_code_10_and_leaves_nothing_i78(
    command: list[str], name: str, folder: Path
) -> None:
    BAD[name](folder)

    ended = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, "PYTHONPATH": str(HOME)},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (10, "")
    assert [line for line in ended.stderr.splitlines() if not line.startswith("config/")] == []
    assert [path.name for path in folder.parent.iterdir()] == ["config"]


WITHOUT_ZONES = """
import sys
sys.modules["tzdata"] = None
from hydra.main import main
sys.exit(main([]))
"""


def test_a_machine_without_time_zones_is_refused_in_one_line_i50(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_ZONES],
        env={**os.environ, "PYTHONPATH": str(HOME), "PYTHONTZPATH": ""},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (10, "")
    assert ended.stderr == (
        "time zones: No time zone found with key America/New_York; wanted those of the exchange and"
        " of the settings: install the tzdata of requirements.lock\n"
    )
    assert [path.name for path in folder.parent.iterdir()] == ["config"]
