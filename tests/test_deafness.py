"""The switch that keeps an engine from hearing its broker, for drills; and that live refuses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.deafness import VARIABLE, arm_from, is_deaf_to
from hydra.main import main
from hydra.ops.exit_codes import ExitCode
from tests.ops.sessions import HOME


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    arm_from({})


def test_without_the_variable_everything_is_heard_whatever_lies_about(tmp_path: Path) -> None:
    file = tmp_path / "deaf_to"
    file.write_text("trading stocks")
    arm_from({})

    assert not is_deaf_to("trading")


def test_what_the_file_names_is_not_heard_as_long_as_it_says_so(tmp_path: Path) -> None:
    file = tmp_path / "deaf_to"
    assert arm_from({VARIABLE: str(file)}) == file
    assert not is_deaf_to("trading")

    file.write_text("trading stocks\n")
    assert [is_deaf_to(stream) for stream in ("trading", "stocks", "coins")] == [True, True, False]

    file.unlink()
    assert not is_deaf_to("trading")


def test_live_refuses_to_start_with_it_i78_i82(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "bots.yaml").write_text((HOME / "config" / "bots.yaml").read_text())
    settings = (HOME / "config" / "settings.yaml").read_text()
    (config / "settings.yaml").write_text(settings.replace("resume: preflight", "resume: operator"))
    monkeypatch.setenv(VARIABLE, "deaf_to")
    folders = ["--state-dir", str(tmp_path / "state"), "--log-dir", str(tmp_path / "logs")]

    code = main(["--venue", "live", "--config", str(config), *folders])

    (line,) = capfd.readouterr().err.splitlines()
    assert code == ExitCode.CONFIGURATION_REFUSED
    assert line.startswith(f"{VARIABLE}: found 'deaf_to' with venue live; wanted it unset")
    assert not (tmp_path / "state").exists()
