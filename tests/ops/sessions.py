"""What a short session of the real engine leaves, and the commands that look at it."""

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import orjson
from typer.testing import CliRunner

from hydra.cli import app
from hydra.main import main
from hydra.ops.exit_codes import ExitCode

HOME = Path(__file__).resolve().parents[2]

Answer: TypeAlias = tuple[int, str, str]
Command: TypeAlias = Callable[..., Answer]


def played(folder: Path) -> Path:
    """One generated session in virtual time, recorded in `folder`: of shares alone, without resting
    stops, so that what is counted in it does not change with every kind of bot.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = without_resting_stops(shares_alone(folder))
    code = main(
        ["--config", str(config), "--clock", "virtual",
         "--state-dir", str(folder / "state"), "--log-dir", str(folder / "logs")]
    )  # fmt: skip
    assert code == ExitCode.CLEAN
    return folder


def shares_alone(folder: Path) -> Path:
    """The shipped configuration `without_coins`, in a new folder."""
    return without_coins(Path(shutil.copytree(HOME / "config", folder / "config-of-shares")))


def without_coins(config: Path) -> Path:
    """The same configuration with its crypto bot switched off: so a generated market is one of
    shares.
    """
    bots = config / "bots.yaml"
    text = bots.read_text()
    changed = text.replace("cryptobot:\n  enabled: true", "cryptobot:\n  enabled: false")
    assert changed != text
    bots.write_text(changed)
    return config


def without_resting_stops(config: Path) -> Path:
    """The same configuration, whose momentum bots are guarded by the engine alone."""
    bots = config / "bots.yaml"
    text = bots.read_text()
    changed = text.replace("protective_order: resting", "protective_order: engine")
    assert changed != text
    bots.write_text(changed)
    return config


def command(folder: Path) -> Command:
    """`hydra-trader` on what lies in `folder`: exit code, output, errors."""

    def run(*words: str, env: Mapping[str, str] | None = None) -> Answer:
        verb, *rest = words
        where = ["--config", str(HOME / "config"), "--state-dir", str(folder / "state")]
        where += ["--log-dir", str(folder / "logs")]
        result = CliRunner().invoke(
            app,
            [verb, *where, *rest],
            env={**(env or {}), "COLUMNS": "100"},
            catch_exceptions=False,
        )
        return result.exit_code, result.stdout, result.stderr

    return run


def typed(folder: Path, text: str) -> str:
    """The text, in which each command names the engine in `folder` as it was named here."""
    where = f"--config {HOME}/config --state-dir {folder}/state --log-dir {folder}/logs"
    return re.sub(r"hydra-trader [a-z]+", lambda verb: f"{verb[0]} {where}", text)


def json_of(answer: Answer) -> Any:
    """What was answered with --json."""
    return orjson.loads(answer[1])


def ledger_in(folder: Path) -> Path:
    return folder / "state" / "trading_state.db"


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        os.fspath(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
