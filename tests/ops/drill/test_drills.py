"""The drills themselves, each on a real engine; and that they find what is broken."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from msgspec import structs

from hydra.ops.drill.drills import DRILLS, named
from hydra.ops.drill.report import DrillResult, Verdict
from hydra.ops.drill.running import drilled, embedded_scene
from hydra.ops.drill.stage import Scene
from tests.ops.sessions import HOME
from tests.waiting import eventually

PATIENCE_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return embedded_scene(HOME / "config", 0, tmp_path)


def done(name: str, scene: Scene, folder: Path) -> DrillResult:
    (result,) = drilled(named((name,)), scene, folder / "scratch", lambda _, left: left)
    return result


EMBEDDED = ("--venue", "embedded", "--speed", "600")


def engine_of(broken: str) -> tuple[str, ...]:
    """An engine in which this was done before it began."""
    script = f"import sys\n{broken}\nfrom hydra.main import main\nsys.exit(main(sys.argv[1:]))"
    return (sys.executable, "-c", script, *EMBEDDED)


@pytest.mark.parametrize("name", [each.name for each in DRILLS])
def test_a_drill_passes_with_what_is_shipped_i01_i03_i19_i37_i39_i45_i47_i52(
    name: str, scene: Scene, tmp_path: Path
) -> None:
    result = done(name, scene, tmp_path)

    assert result.verdict is Verdict.PASSED, str(result)


KILL_FILE_UNREAD = "from hydra.ops.kill_watch import KillWatch\nKillWatch._judge = lambda *_: None"
REFUSALS_UNCOUNTED = "from hydra.trading import causes\ncauses.REJECTIONS = causes.CANCEL_PENDING"


@pytest.mark.parametrize(
    ("name", "broken", "said"),
    [
        ("kill_switch", KILL_FILE_UNREAD, "trading is open again"),
        ("rejects", REFUSALS_UNCOUNTED, ""),
    ],
    ids=["kill file", "refusals"],
)
def test_a_drill_finds_an_engine_whose_stop_does_not_work(
    name: str, broken: str, said: str, scene: Scene, tmp_path: Path
) -> None:
    result = done(name, structs.replace(scene, engine=engine_of(broken)), tmp_path)

    assert result.verdict is Verdict.FAILED, str(result)
    assert result.took_s is None
    assert said in " ".join(result.faults), str(result)


def test_an_engine_that_does_not_start_is_not_drilled_and_says_why(
    scene: Scene, tmp_path: Path
) -> None:
    broken = engine_of("sys.exit('no such luck')")

    result = done("kill_switch", structs.replace(scene, engine=broken), tmp_path)

    assert result.verdict is Verdict.NOT_DONE
    assert "the engine ended with 1; it said: no such luck" in result.not_done


@pytest.fixture
def command(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "hydra.cli", "drill", "--only", "kill_switch",
         "--config", str(HOME / "config"), "--output-dir", str(tmp_path / "out")],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    yield process
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_drill_that_is_interrupted_leaves_no_process_and_no_state(
    number: signal.Signals, command: subprocess.Popen[str], tmp_path: Path
) -> None:
    drill = psutil.Process(command.pid)
    assert eventually(lambda: len(drill.children(recursive=True)) == 2, PATIENCE_S)
    started = drill.children(recursive=True)  # the engine, and its venue

    command.send_signal(number)
    command.send_signal(number)  # by somebody who cannot wait
    _, said = command.communicate(timeout=PATIENCE_S)

    assert command.returncode == 1
    assert said == "interrupted: nothing is left running, and no report was written\n"
    assert psutil.wait_procs(started, timeout=0)[1] == []
    assert list((tmp_path / "out").iterdir()) == []


def test_the_command_leaves_a_report_and_takes_the_folder_of_the_drill_away(
    command: subprocess.Popen[str], tmp_path: Path
) -> None:
    said, _ = command.communicate(timeout=2 * PATIENCE_S)

    assert command.returncode == 0, said
    assert said.startswith("passed    kill_switch ")
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["report.json", "report.txt"]
    report = json.loads((out / "report.json").read_bytes())
    assert report["passed"] is True
    assert report["configuration"] != report["drilled"]
    assert list(tmp_path.iterdir()) == [out]  # and nothing of it lies anywhere else
