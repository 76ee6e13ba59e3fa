"""What a terminal or a locale cannot show is said in other letters, and is no fault."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hydra.ops.exit_codes import ExitCode
from hydra.ops.spoken import speak_in_any_letters
from tests.ops.control.command_line import HOME, places, says


def said_to(encoding: str, folder: Path, *words: str) -> tuple[int, str, str]:
    """A command by itself: exit code, what it said, and what was wrong."""
    told = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(HOME), "PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return told.returncode, told.stdout.decode(encoding), told.stderr.decode("ascii")


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", "Pr\\xfcfung"), ("latin-1", "Prüfung")])
def test_an_engines_state_is_shown_on_a_terminal_that_lacks_letters_i10(
    tmp_path: Path, encoding: str, shown: str
) -> None:
    says(tmp_path, "halt", "--reason", "Prüfung – kurz")

    code, page, wrong = said_to(encoding, HOME, "-m", "hydra.cli", "status", *places(tmp_path))

    assert (code, wrong) == (ExitCode.CLEAN, "")
    assert f"{shown} \\u2013 kurz" in page


@pytest.mark.parametrize("module", ["hydra.cli", "hydra.main"])
def test_a_folder_whose_name_is_no_text_is_refused_in_one_line(tmp_path: Path, module: str) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    verb = ["halt"] if module == "hydra.cli" else ["--clock", "virtual"]

    code, _, wrong = said_to(
        "utf-8", HOME, "-m", module, *verb, "--state-dir", folder, "--log-dir", folder
    )

    assert (code, wrong.count("\n")) == (ExitCode.USAGE, 1)
    assert wrong.endswith(
        "caf\\udce9/trading_state.db: the name of a file or folder is not UTF-8; nothing was done;"
        " give the folder another name, or say another with --state-dir and --log-dir\n"
    )


def test_a_stream_that_passes_on_what_it_cannot_read_still_does() -> None:
    """As in the C locale, where the names of files come out as they are."""
    strict, lenient = (
        io.TextIOWrapper(io.BytesIO(), "ascii", errors) for errors in ("strict", "surrogateescape")
    )

    speak_in_any_letters(strict, lenient, io.StringIO())

    assert (strict.errors, lenient.errors) == ("backslashreplace", "surrogateescape")
