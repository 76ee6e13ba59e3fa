"""`hydra-trader drill`, as a person calls it; what it does is in `test_drills`."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from typer.testing import CliRunner, Result

from hydra.cli import app
from hydra.ops.drill.drills import DRILLS, named
from hydra.ops.drill.running import scratch_in
from hydra.ops.exit_codes import ExitCode
from tests.ops.sessions import HOME


def drill(*words: str) -> Result:
    return CliRunner().invoke(app, ["drill", "--config", str(HOME / "config"), *words])


def test_the_list_names_each_drill_with_its_fault_and_rule_and_does_none(tmp_path: Path) -> None:
    done = drill("--list", "--output-dir", str(tmp_path / "out"))

    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [each.name for each in DRILLS]
    assert all(each.rule in line for each, line in zip(DRILLS, lines, strict=True))
    assert not (tmp_path / "out").exists()


def test_a_drill_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    done = drill("--only", "kill_switch", "--only", "earthquake")

    assert done.exit_code == ExitCode.USAGE
    assert done.stderr.startswith("--only earthquake: no such drill; there are kill_switch, ")


def test_a_configuration_that_is_refused_is_drilled_with_nothing(tmp_path: Path) -> None:
    config = Path(shutil.copytree(HOME / "config", tmp_path / "config"))
    (config / "bots.yaml").write_text("exitbot: {}\n")

    done = drill("--config", str(config), "--output-dir", str(tmp_path / "out"))

    assert done.exit_code == ExitCode.CONFIGURATION_REFUSED
    assert "bots.yaml" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_drills_are_done_in_their_own_order_each_once() -> None:
    chosen = named(("kill_9", "kill_switch", "kill_9"))

    assert [each.name for each in chosen] == ["kill_switch", "kill_9"]
    assert named(()) == DRILLS


def test_each_drill_has_a_bound_of_less_than_a_minute_in_what_is_shipped() -> None:
    from hydra.settings import load_settings

    settings = load_settings(HOME / "config")

    assert all(0 < each.bound_s(settings) <= 60 for each in DRILLS)


def test_scratch_is_private_goes_in_the_end_and_takes_what_a_killed_run_left(
    tmp_path: Path,
) -> None:
    ended = tmp_path / "scratch-4194999"  # above any number that Linux gives a process
    (ended / "state").mkdir(parents=True)
    (tmp_path / "scratch-mine").mkdir()

    with suppress(RuntimeError), scratch_in(tmp_path) as scratch:
        assert not ended.exists()
        assert scratch.name == f"scratch-{os.getpid()}"
        assert scratch.stat().st_mode & 0o077 == 0
        raise RuntimeError

    assert [path.name for path in tmp_path.iterdir()] == ["scratch-mine"]
