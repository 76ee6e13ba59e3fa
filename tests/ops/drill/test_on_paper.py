"""The drills on a paper account: an engine of paper, and a venue that goes by Alpaca's names."""

import shutil
import sys
from pathlib import Path

import pytest
import yaml
from msgspec import structs
from typer.testing import CliRunner

from hydra.cli import app
from hydra.ops.drill.drills import DRILLS, named
from hydra.ops.drill.report import Verdict
from hydra.ops.drill.running import drilled, paper_scene
from hydra.ops.exit_codes import ExitCode
from hydra.store.engine_lock import EngineLock
from tests.ops import test_run_broker
from tests.ops.sessions import HOME
from tests.ops.test_run_broker import KEY, SECRET, behind_tls

certificate = test_run_broker.certificate

ENGINE = """
import socket, sys, certifi
from hydra.main import main
from hydra.venues.alpaca import network
certifi.where = lambda: {certificate!r}
network._look_up = lambda host, port: [(socket.AF_INET, ("127.0.0.1", {port}))]
sys.exit(main(sys.argv[1:]))
"""


def config_of_coins(folder: Path) -> Path:
    """The shipped configuration for paper, of bitcoin alone."""
    config = Path(shutil.copytree(HOME / "config", folder / "config"))
    path = config / "bots.yaml"
    bots = yaml.safe_load(path.read_text())
    bots["momentum_bots"] = []
    bots["optionsbot"]["enabled"] = False
    bots["cryptobot"]["pairs"] = ["BTC/USD"]
    path.write_text(yaml.safe_dump(bots))
    settings = config / "settings.yaml"
    text = settings.read_text()
    settings.write_text(
        text.replace("log_path: .", f"log_path: {folder}").replace(
            "state_db_path: .", f"state_db_path: {folder}"
        )
    )
    return config


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", [each.name for each in DRILLS if each.on_paper])
def test_a_drill_on_paper_sends_no_order_and_passes_i01_i45_i47_i60(
    name: str,
    tmp_path: Path,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALPACA_KEY", KEY)
    monkeypatch.setenv("ALPACA_SECRET", SECRET)
    monkeypatch.setenv("ALPACA_PAPER", "true")
    monkeypatch.setenv("LIVE_DISABLE_NETWORK", "0")  # names lead to this machine, below
    scene = paper_scene(config_of_coins(tmp_path))
    assert "--dry-run" in scene.engine

    with behind_tls("PA3NOBODYS01", certificate) as port:
        script = ENGINE.format(certificate=str(certificate[0]), port=port)
        ours = structs.replace(scene, engine=(sys.executable, "-c", script, *scene.engine[3:]))
        (result,) = drilled(named((name,)), ours, tmp_path / "scratch", lambda _, left: left)

    assert result.verdict is Verdict.PASSED, str(result)
    assert not (tmp_path / "state").exists()


def test_beside_the_accounts_own_engine_nothing_is_drilled(tmp_path: Path) -> None:
    config = config_of_coins(tmp_path)
    lock = EngineLock(tmp_path / "state" / "engine.lock")
    try:
        words = ["drill", "--on", "paper", "--config", str(config)]
        done = CliRunner().invoke(app, [*words, "--output-dir", str(tmp_path / "out")])
    finally:
        lock.release()

    assert done.exit_code == ExitCode.HELD_BY_ANOTHER
    assert done.stderr.startswith("found an engine (process ")


def test_a_drill_that_needs_an_order_is_not_one_for_paper() -> None:
    done = CliRunner().invoke(app, ["drill", "--on", "paper", "--only", "rejects"])

    assert done.exit_code == ExitCode.USAGE
    assert "needs no order" in done.stderr
