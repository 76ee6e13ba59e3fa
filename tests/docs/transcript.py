"""The newcomer's transcript in README.md: real commands on a real run, so that it cannot rot.

`make docs` plays it and writes it; a slow test plays it again and compares. What differs from one
run to the next is masked before they are compared, by these rules, in this order:

- an order's name (`hy1-…`) is ORDER, a process's own words `pid 123` are `pid #`;
- a duration with its unit is TIME; every other number, date or time is #;
- what a bot holds (`nothing`, or quantities of symbols) is HOLDS, since it changes by the minute;
- blanks that only line things up count as one, and lines of `-` and `=` as none.

A line of which there are several is compared once, and lines of progress (`...`), which come by the
clock, are not: how often they come may differ.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import msgspec

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
BEGIN = "<!-- transcript: written by `make docs`, not by hand -->\n"
END = "<!-- end of transcript -->\n"

SPEED = 60
"""Slow enough for the order to be held all the while on a busy machine."""
BOT, SYMBOL = "crypto_core", "ETH/USD"
"""Whose first order the transcript waits for: it comes a quarter of an hour after the start."""
COMES_WITHIN_S = 90.0
ENDS_WITHIN_S = 30.0


class Step(msgspec.Struct, frozen=True):
    """One command in the second terminal, and what is worth saying of it first."""

    words: tuple[str, ...]
    said: str
    lines_max: int = 40
    """More than these of what it says are left out."""


STEPS = (
    Step(
        ("status",),
        "In a second terminal. The exchange is not open yet, so shares wait; coins trade:",
    ),
    Step(("debug", "mailboxes"), "How busy each actor is:", lines_max=8),
    Step(("halt", "--reason", "looks wrong"), "Stop it at once:"),
    Step(("why", BOT, SYMBOL, "last"), "What the bot wanted last, and why:", lines_max=22),
    Step(("resume", "--reason", "looked fine"), "And go on:"),
)
REPORT = Step(
    ("report",), "Ctrl-C in the first terminal ends it in order; then the report:", lines_max=16
)


def transcript() -> str:
    """Play it: the block as it stands between the marks of README.md."""
    with TemporaryDirectory(prefix="hydra-transcript-") as name:
        folder = Path(name)
        shutil.copytree(ROOT / "config", folder / "config")
        log = folder / "said.txt"
        with log.open("wb") as out:
            engine = _python(folder, "-m", "hydra.main", "--plain", "--speed", str(SPEED), out=out)
        try:
            _until(lambda: _has_filled(folder), engine)
            blocks = [_block(step, _said(folder, step)) for step in STEPS]
            engine.send_signal(signal.SIGINT)
            engine.wait(ENDS_WITHIN_S)
        finally:
            engine.kill()
            engine.wait()
        first = f'$ make run ARGS="--plain --speed {SPEED}"\n{log.read_text(encoding="utf-8")}'
        blocks += [_block(REPORT, _said(folder, REPORT))]
    return "\n".join([f"```\n{first}```\n", *blocks])


def write_transcript() -> None:
    """Play it and put it into README.md."""
    readme = README.read_text(encoding="utf-8")
    block_in(readme)  # before the minute that it takes
    README.write_text(with_block(readme, transcript()), encoding="utf-8")


def masked(text: str) -> list[str]:
    """What of a transcript is the same each time: every kind of line once, in order."""
    lines = list[str]()
    for raw in text.splitlines():
        line = " ".join(raw.split())
        for pattern, word in _MASKS:
            line = pattern.sub(word, line)
        if line.startswith(PROGRESS):
            continue
        if line and line not in lines and line.strip("-= |:"):
            lines.append(line)
    return lines


def block_in(readme: str) -> str:
    """What stands between the marks. Raises ValueError if they are not there once."""
    _, block, _ = _parts(readme)
    return block


def with_block(readme: str, block: str) -> str:
    """The README with this transcript in the place of the one before."""
    before, _, after = _parts(readme)
    return f"{before}{BEGIN}{block}{END}{after}"


def _parts(readme: str) -> tuple[str, str, str]:
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise ValueError(f"README.md: wanted {BEGIN.strip()} and {END.strip()} once each")
    before, _, rest = readme.partition(BEGIN)
    block, _, after = rest.partition(END)
    return before, block, after


PROGRESS = "... "
_NUMBER = r"[+-]?\d+(?:[.,:T+-]+\d+)*"

_MASKS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"\bhy1-[\w-]+"), "ORDER"),
    (re.compile(r"(?<= )(nothing|[\d.]+ [A-Z]+/USD(, [\d.]+ [A-Z]+/USD)*)(?= |$)"), "HOLDS"),
    (re.compile(rf"{_NUMBER} ?(µs|ms|s|min|h)\b"), "TIME"),
    (re.compile(rf"{_NUMBER}Z?"), "#"),
)


def _python(folder: Path, *words: str, out: int | IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("HYDRA_", "ALPACA_"))}
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT), "COLUMNS": "100", "TERM": "dumb"},
        stdout=out,
        stderr=subprocess.STDOUT,
    )


def _said(folder: Path, step: Step) -> str:
    process = _python(folder, "-m", "hydra.cli", *step.words, out=subprocess.PIPE)
    said, _ = process.communicate(timeout=ENDS_WITHIN_S)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(step.words)}: exit code {process.returncode}: {said!r}")
    return said.decode()


def _block(step: Step, said: str) -> str:
    lines = said.rstrip().splitlines()
    if len(lines) > step.lines_max:
        lines = [*lines[: step.lines_max], "…"]
    words = " ".join(f'"{word}"' if " " in word else word for word in step.words)
    shown = "\n".join(line.rstrip() for line in lines)
    return f"{step.said}\n\n```\n$ .venv/bin/hydra-trader {words}\n{shown}\n```\n"


def _has_filled(folder: Path) -> bool:
    journal = folder / "logs" / "embedded" / "app.jsonl"
    wanted = (b'"report":"OrderFilled"', f'"symbol":"{SYMBOL}"'.encode())
    if not journal.exists():
        return False
    return any(all(each in line for each in wanted) for line in journal.read_bytes().splitlines())


def _until(there: Callable[[], bool], engine: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + COMES_WITHIN_S
    while not there():
        if engine.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"no order of {BOT} was filled within {COMES_WITHIN_S:g} s")
        with suppress(subprocess.TimeoutExpired):
            engine.wait(0.1)
