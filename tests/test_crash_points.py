"""The places at which a test may end the process, and the code that has them."""

import ast
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.crash_points import CRASH_POINTS, VARIABLE, NoSuchCrashPoint, arm_from, reached

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("actors", "hydra", "messages", "supervisors")

PASSES_TWO_PLACES_THREE_TIMES = """
import atexit, os
from hydra.crash_points import arm_from, reached

atexit.register(print, "tidied up")
arm_from(os.environ)
for time in (1, 2, 3):
    reached("backup.copied")
    print("copied", time, flush=True)
    reached("backup.proven")
    print("proven", time, flush=True)
"""


@pytest.fixture(autouse=True)
def _disarmed_afterwards() -> Iterator[None]:
    yield
    arm_from({})


@pytest.mark.parametrize(
    ("asked", "printed"),
    [
        ("backup.copied", ""),
        ("backup.proven", "copied 1\n"),
        ("backup.proven:1", "copied 1\n"),
        ("backup.copied:3", "copied 1\nproven 1\ncopied 2\nproven 2\n"),
    ],
)
def test_the_process_is_killed_at_the_place_and_time_asked_for_i59(
    asked: str, printed: str
) -> None:
    ended = three_rounds({VARIABLE: asked})

    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, printed)


@pytest.mark.parametrize("environment", [{}, {VARIABLE: "backup.copied:4"}])
def test_a_process_that_does_not_come_to_the_place_goes_on(environment: dict[str, str]) -> None:
    ended = three_rounds(environment)

    assert (ended.returncode, ended.stdout.splitlines()[-2:]) == (0, ["proven 3", "tidied up"])


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "backup",
        "backup.copied:",
        "backup.copied:0",
        "backup.copied:-1",
        "backup.copied:٣",
        "backup.copied:1 ",
        " backup.copied",
        "backup.copied,backup.proven",
        "Backup.copied",
    ],
)
def test_a_place_that_there_is_not_is_refused(asked: str) -> None:
    with pytest.raises(NoSuchCrashPoint) as refused:
        arm_from({VARIABLE: asked})

    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"HYDRA_CRASH_AT: found {asked!r}; wanted one of backup.copied, ")


def test_what_was_asked_for_is_told_and_can_be_taken_back() -> None:
    assert arm_from({VARIABLE: "backup.copied"}) == "backup.copied"
    assert arm_from({}) is None

    reached("backup.copied")


def test_every_place_in_the_code_is_listed_and_every_listed_place_is_in_the_code_i59() -> None:
    speaking = (code for path in product() if b"reached" in (code := path.read_bytes()))
    found = {name for code in speaking for name in places_in(ast.parse(code))}

    assert sorted(found - CRASH_POINTS) == []
    assert sorted(CRASH_POINTS - found) == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("reached('a.b')", ["a.b"]),
        ("crash_points.reached('a.b')", ["a.b"]),
        ("reached(name)", ["not a literal"]),
        ("armed.reached()", ["not a literal"]),
        ("arrived('a.b')", []),
    ],
)
def test_a_place_is_found_however_it_is_called(code: str, found: list[str]) -> None:
    assert list(places_in(ast.parse(code))) == found


def three_rounds(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != VARIABLE}
    return subprocess.run(
        [sys.executable, "-c", PASSES_TWO_PLACES_THREE_TIMES],
        env={**inherited, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def product() -> list[Path]:
    """Every module that may have such places; the module that defines them has none."""
    paths = (path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py"))
    return sorted(path for path in paths if path != ROOT / "hydra" / "crash_points.py")


def places_in(tree: ast.Module) -> Iterator[str]:
    """The names in calls of `reached`. One that cannot be read here cannot be listed either."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="reached") | ast.Attribute(attr="reached"), args=args):
                match args:
                    case [ast.Constant(value=str(name))]:
                        yield name
                    case _:
                        yield "not a literal"
            case _:
                pass
