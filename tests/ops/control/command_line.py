"""`hydra-trader`, as an operator says it of an engine that has its files in a folder."""

import os
from pathlib import Path
from typing import Any

import orjson
from typer.testing import CliRunner, Result

from hydra.cli import app

ME = f"uid {os.geteuid()}, pid {os.getpid()}"
"""Who says it, as the engine puts it on record."""
HOME = Path(__file__).resolve().parents[3]


def places(folder: Path) -> list[str]:
    """The options that say where the engine is."""
    return ["--config", str(HOME / "config"), "--state-dir", str(folder / "state"),
            "--log-dir", str(folder / "logs")]  # fmt: skip


def says(folder: Path, verb: str, *words: str) -> Result:
    """The verb, of the engine in this folder."""
    line = [verb, *places(folder), *words]
    return CliRunner().invoke(app, line, env={"COLUMNS": "200"}, catch_exceptions=False)


def asks(folder: Path, verb: str, *words: str) -> Any:
    """Its answer with --json."""
    return orjson.loads(says(folder, verb, *words, "--json").stdout)
