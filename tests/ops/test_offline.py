"""What the commands that look at files make of what goes wrong with them."""

import errno
import io
import sys

import pytest
import typer

from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import Ended, end, one_line_for_faults


def test_a_fault_of_a_file_is_one_line_that_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, one_line_for_faults():
        raise OSError(errno.ENOSPC, "No space left on device", "state/ledger.db")

    assert ended.value.exit_code == ExitCode.DURABILITY_REFUSED
    assert capsys.readouterr().err == "state/ledger.db: No space left on device\n"


def test_a_reader_who_has_had_enough_is_no_fault_of_the_record(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As in `hydra-trader report | head`: `main` ends it quietly, with no code of the record's."""
    with pytest.raises(BrokenPipeError), one_line_for_faults():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    assert capsys.readouterr() == ("", "")


class Nobody(io.StringIO):
    """Who read the error output is gone."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_what_nobody_can_be_told_any_more_ends_it_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", Nobody())

    with pytest.raises(Ended) as ended:
        end("nobody answers", ExitCode.HELD_BY_ANOTHER)

    assert (ended.value.text, ended.value.exit_code) == ("nobody answers", 11)
