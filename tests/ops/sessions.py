"""What a short session of the real engine leaves, and the commands that look at it."""

import os
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
    """One generated session in virtual time, recorded in `folder`."""
    code = main(
        ["--config", str(HOME / "config"), "--clock", "virtual",
         "--state-dir", str(folder / "state"), "--log-dir", str(folder / "logs")]
    )  # fmt: skip
    assert code == ExitCode.CLEAN
    return folder


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
