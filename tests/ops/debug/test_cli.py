"""The `debug` commands as a person and as a program meet them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hydra.cli import app
from hydra.ops.debug.commands import COMMANDS
from hydra.ops.debug.halting import REASON_CHARACTERS_MAX, REASON_CHARACTERS_MIN
from hydra.ops.debug.render import duration
from hydra.ops.reason import REASON_CHARACTERS
from tests.ops.debug.conftest import PROJECT
from tests.ops.debug.engines import (
    KEEPER,
    PATHS,
    STUCK,
    STUCK_BOUND,
    Note,
    live,
)
from tests.waiting import eventually

ARGUMENTS: dict[str, list[str]] = {
    "tree": [],
    "mailboxes": ["--sort", "age", "--window", "10ms"],
    "peek": ["stuck", "-n", "2"],
    "state": ["keeper"],
    "stack": ["stuck"],
    "stacks": [],
    "trace": [],
    "chain": ["order-1"],
    "log": ["keeper", "--payload"],
    "stats": ["/root/core"],
    "suspend": ["frail", "--reason", "to see"],
    "resume": ["frail", "--reason", "seen"],
    "dead-letters": ["--reason", "full"],
    "history": ["--limit", "3"],
    "timers": [],
    "watchers": [],
    "asks": [],
    "children": ["core"],
    "gate": [],
    "halt": ["--reason", "smoke"],
    "gil": ["--over", "20ms"],
    "threads": [],
    "gc": ["--over", "20ms"],
    "top": [],
}
ANSWERED = sorted(ARGUMENTS.keys() - {"trace"})


def debug(state_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["debug", *arguments, "--state-dir", str(state_dir)])


def told(state_dir: Path, *arguments: str) -> Any:
    result = debug(state_dir, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_every_command_of_the_server_is_one_of_the_cli() -> None:
    assert COMMANDS.keys() - {"overview", "commands"} | {"top"} == ARGUMENTS.keys()


@pytest.mark.parametrize("command", ANSWERED)
def test_every_command_writes_json(state_dir: Path, command: str) -> None:
    assert told(state_dir, command, *ARGUMENTS[command]) is not None


@pytest.mark.parametrize("command", ANSWERED)
def test_every_command_writes_plain_text(state_dir: Path, command: str) -> None:
    result = debug(state_dir, command, *ARGUMENTS[command])

    assert result.exit_code == 0, result.output
    assert result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize("command", sorted(ARGUMENTS))
def test_every_command_says_what_it_is_for(command: str) -> None:
    result = CliRunner().invoke(app, ["debug", command, "--help"])

    assert result.exit_code == 0
    for option in ("--state-dir", "--socket", "--json"):
        assert option in result.stdout


def test_mailboxes_have_for_every_actor_what_the_contract_names(state_dir: Path) -> None:
    rows = told(state_dir, "mailboxes")

    wanted = {"path", "status", "incarnation", "depth", "control_depth", "high_water"}
    wanted |= {"oldest_ms", "processed", "failures", "restarts", "busy_ms"}
    assert {row["path"] for row in rows} == set(PATHS)
    assert all(wanted <= row.keys() for row in rows)
    assert (rows[0]["path"], rows[0]["depth"]) == (STUCK.path, STUCK_BOUND)


def test_the_tree_is_told_by_indentation(state_dir: Path) -> None:
    lines = debug(state_dir, "tree").stdout.splitlines()

    names = [path.rpartition("/")[2] for path in PATHS]
    assert [line.split()[0].rpartition("/")[2] for line in lines] == names
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 2, 4, 4, 4, 2, 4, 4]
    assert f"{STUCK_BOUND} waiting" in lines[6]


def test_a_state_that_is_not_told_is_replaced_by_the_place_in_the_code(state_dir: Path) -> None:
    lines = debug(state_dir, "state", "stuck", "--within", "50ms").stdout.splitlines()

    assert lines[0] == f"{STUCK.path}#1  running"
    assert lines[1] == "it has not answered: no answer within 0.05 s"
    assert any("engines.py" in line for line in lines)
    assert lines[-1].startswith("--dirty reads the state")


def test_what_was_cut_is_said_beside_the_answer(state_dir: Path) -> None:
    result = debug(state_dir, "tree", "--limit", "2", "--json")

    assert [row["path"] for row in json.loads(result.stdout)] == PATHS[:2]
    assert result.stderr == "note: shown are 2 of 8: a higher limit shows more\n"


def test_a_trace_is_a_line_of_json_an_event(tmp_path: Path) -> None:
    with live(tmp_path) as engine:
        cell = engine.runtime.cells[KEEPER.path]
        untapped = cell.receive
        wanted = ["trace", "Note", "--max", "2", "--json", "--state-dir", str(tmp_path)]
        with subprocess.Popen(
            [*CLI, *wanted], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        ) as tracing:
            assert eventually(lambda: cell.receive != untapped)
            engine.runtime.tell(KEEPER, Note(text="a"))
            engine.runtime.tell(KEEPER, Note(text="b"))
            written, _ = tracing.communicate(timeout=10)

    events = [json.loads(line) for line in written.splitlines()]
    assert [(event.get("seen"), event.get("type")) for event in events] == [
        ("in", "Note"),
        ("in", "Note"),
        (None, None),
    ]
    assert (events[-1]["told"], tracing.returncode) == (2, 0)


@pytest.mark.parametrize("verb", [("suspend", "frail"), ("resume", "frail")])
def test_a_reason_that_is_none_is_told_in_words_before_any_engine_is_asked(
    tmp_path: Path, verb: tuple[str, ...]
) -> None:
    result = debug(tmp_path, *verb, "--reason", "x")

    assert result.exit_code == 2
    assert "found 'x', wanted a reason of 3 to 500" in result.stderr


def test_the_words_for_a_reason_are_those_that_an_engine_goes_by() -> None:
    wanted = (REASON_CHARACTERS_MIN, REASON_CHARACTERS_MAX)

    assert (REASON_CHARACTERS[0], REASON_CHARACTERS[-1]) == wanted


CLI = (sys.executable, "-m", "hydra.cli", "debug")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, *arguments], cwd=PROJECT, capture_output=True, text=True, timeout=10, check=False
    )


def test_as_a_program_it_gives_json_and_nothing_else(state_dir: Path) -> None:
    result = run("mailboxes", "--json", "--state-dir", str(state_dir))

    assert (result.returncode, result.stderr) == (0, "")
    assert {row["path"] for row in json.loads(result.stdout)} == set(PATHS)


def test_the_options_may_stand_before_the_command_too(state_dir: Path) -> None:
    result = run("--state-dir", str(state_dir), "--json", "gate")

    assert result.returncode == 0
    assert json.loads(result.stdout)["epoch"] >= 1


def test_a_socket_named_outright_wins(state_dir: Path, tmp_path: Path) -> None:
    path = state_dir / "embedded" / "debug.sock"

    result = debug(tmp_path, "gate", "--socket", str(path))

    assert result.exit_code == 0
    assert result.stdout.startswith("trading ")


def test_where_no_engine_runs_it_says_so_in_one_line(tmp_path: Path) -> None:
    result = run("tree", "--state-dir", str(tmp_path))

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("no engine is running here: looked for ")


def test_what_the_engine_refuses_is_one_line(state_dir: Path) -> None:
    result = debug(state_dir, "peek", "nobody")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("nobody lives at nobody;")


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["peek"],
        ["peek", "keeper", "--lane", "fast"],
        ["halt", "--within", "soon"],
        ["mailboxes", "--window", "soon"],
        ["trace", "keeper", "--rate", "much"],
        ["tree", "--limit", "0"],
    ],
)
def test_a_wrong_usage_has_exit_code_2(tmp_path: Path, arguments: list[str]) -> None:
    assert debug(tmp_path, *arguments).exit_code == 2


def test_what_is_passed_on_arrives_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived: list[list[str]] = []

    def engine(argv: list[str]) -> int:
        arrived.append(argv)
        return 20

    monkeypatch.setattr("hydra.main.main", engine)
    wanted = ["--venue", "paper", "-x", "--help", "--speed=5", "last"]

    result = CliRunner().invoke(app, ["run", *wanted])

    assert (result.exit_code, arrived) == (20, [wanted])


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from hydra.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'numpy', 'alpaca', 'pydantic', 'apsw', 'pykka', 'hydra.runtime.cell'}\n"
        "sys.exit(', '.join(sorted(heavy & sys.modules.keys())) or None)"
    )

    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (0.012, "12 µs"),
        (0.9994, "999 µs"),
        (1.0, "1 ms"),
        (2.345, "2.3 ms"),
        (999.4, "999 ms"),
        (1_000.0, "1 s"),
        (62_000.0, "62 s"),
        (120_000.0, "2 min"),
        (7_200_000.0, "2 h"),
        (259_200_000.0, "3.0 d"),
        (-5.0, "-5 ms"),
    ],
)
def test_durations_are_told_in_a_unit_that_suits_them(
    milliseconds: float | None, text: str
) -> None:
    assert duration(milliseconds) == text
