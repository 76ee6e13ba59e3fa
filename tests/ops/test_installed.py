"""What is installed is what was locked, or the engine does not start."""

import re
import tomllib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from hydra.main import main
from hydra.ops import installed
from hydra.ops.exit_codes import ExitCode
from hydra.ops.installed import WANTED, unfit
from tests.ops.sessions import HOME

PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]


def of(**versions: str | None) -> Callable[[str], str]:
    """What would be installed: as wanted, but for these."""

    def version(name: str) -> str:
        found = versions.get(name, ".".join(map(str, WANTED[name][0])))
        if found is None:
            raise PackageNotFoundError(name)
        return found

    return version


def test_what_is_wanted_is_what_the_project_says_i88() -> None:
    said = {}
    for requirement in PROJECT["dependencies"]:
        bounds = re.fullmatch(r"([\w-]+)>=([\d.]+),<([\d.]+)", requirement)
        if bounds is not None:
            name, *ends = bounds.groups()
            said[name] = tuple(tuple(map(int, end.split("."))) for end in ends)

    assert {name: said.get(name) for name in WANTED} == dict(WANTED)


def test_what_is_installed_here_is_fit_i88() -> None:
    assert unfit() == ()


@pytest.mark.parametrize(
    ("found", "is_fit"),
    [
        ("4.4", True),
        ("4.4.0", True),
        ("4.99.1.post2", True),
        ("4.10", True),
        ("4.3.9", False),
        ("5", False),
        ("5.0.0", False),
        ("5.0.0rc1", False),
        ("40.4", False),
        ("unknown", False),
        (None, False),
    ],
)
def test_another_major_version_an_older_one_and_none_are_unfit_i88(
    found: str | None, is_fit: bool
) -> None:
    told = unfit(installed=of(pykka=found))

    line = (
        f"pykka: found {found or 'none'}, wanted 4.4 or later and below 5;"
        " install what is locked: make setup"
    )
    assert told == (() if is_fit else (line,))


def test_an_engine_does_not_start_on_what_nobody_tried_i88(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(installed, "WANTED", {**WANTED, "websockets": ((99,), (100,))})
    words = ["--config", str(HOME / "config"), "--clock", "virtual", "--once"]

    code = main([*words, "--state-dir", str(tmp_path / "s"), "--log-dir", str(tmp_path / "l")])

    out, err = capsys.readouterr()
    assert (code, out) == (ExitCode.CONFIGURATION_REFUSED, "")
    assert err.startswith("websockets: found ") and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
