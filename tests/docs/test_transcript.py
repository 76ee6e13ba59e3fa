"""README's transcript is what the commands say, and every command line that it shows exists."""

import re
import shlex

import pytest
import typer

from hydra.cli import app
from hydra.main import main
from tests.docs.transcript import (
    BEGIN,
    END,
    README,
    REPORT,
    STEPS,
    block_in,
    masked,
    transcript,
    with_block,
)

TEXT = README.read_text(encoding="utf-8")
LINES = sorted(
    set(re.findall(r"^(?:\$ )?\.venv/bin/hydra-trader (.+?)(?: +#.*)?$", TEXT, re.MULTILINE))
)
RUNS = sorted(set(re.findall(r"make run ARGS=\"(.*?)\"", TEXT)))


@pytest.mark.slow
def test_the_transcript_is_what_a_run_says() -> None:
    assert masked(transcript()) == masked(block_in(TEXT)), (
        "README's transcript is not what the commands say by now; run: make docs"
    )


def test_the_transcript_has_every_step_in_order() -> None:
    places = [block_in(TEXT).find(f"$ .venv/bin/hydra-trader {' '.join(step.words[:1])}")
              for step in (*STEPS, REPORT)]  # fmt: skip

    assert places == sorted(places)
    assert -1 not in places


def test_what_differs_from_run_to_run_is_masked_and_nothing_else() -> None:
    one = "a  hy1-2026-0a-e pid 12, after 5.8 ms, 2026-01-05T13:46:00Z\n... 13:49, ACTIVE\nx\n"
    other = "a hy1-2027-ff-p pid 7345, after 198 µs, 2027-01-05T13:47:01Z\nx\nx\n"

    assert masked(one) == masked(other) == ["a ORDER pid #, after TIME, #", "x"]
    assert masked("trading is HALTED") != masked("trading is ACTIVE")
    assert masked("crypto_core running 0 0.0182 ETH/USD 250.00") == masked(
        "crypto_core running 0 nothing 249.99"
    )


def test_the_block_is_put_between_its_marks_and_nothing_else_changes() -> None:
    readme = f"before\n{BEGIN}old\n{END}after\n"

    assert with_block(readme, "new\n") == f"before\n{BEGIN}new\n{END}after\n"
    assert block_in(readme) == "old\n"
    with pytest.raises(ValueError, match="once each"):
        block_in("no marks")


@pytest.mark.parametrize("line", LINES)
def test_every_command_line_of_the_readme_exists(line: str) -> None:
    words = shlex.split(line.partition(" …")[0])
    command = typer.main.get_command(app)
    while (verbs := getattr(command, "commands", None)) and words and words[0][0] != "-":
        assert words[0] in verbs, f"there is no {words[0]}"
        command = verbs[words.pop(0)]
    if command.name == "run":
        with pytest.raises(SystemExit) as ended:
            main([*words, "--help"])
        assert ended.value.code == 0
        return
    known = {name for option in command.params for name in option.opts} | {"--help"}
    assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("arguments", RUNS)
def test_every_run_of_the_readme_is_understood(arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*shlex.split(arguments), "--help"])
    assert ended.value.code == 0


def test_there_are_command_lines_to_look_at() -> None:
    assert len(LINES) >= 20
    assert len(RUNS) >= 2
