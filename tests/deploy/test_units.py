"""The units agree with the engine that they start: its exit codes, its times, its files."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hydra.cli import app
from hydra.ops import watchdog
from hydra.ops.ending import GONE_WITHIN_S
from hydra.ops.exit_codes import ExitCode
from hydra.ops.places import files_of_venue
from hydra.runtime.lease import DETECT_WITHIN, LEASE
from hydra.settings import VenueName, load_settings
from hydra.settings.engine_sections import BrokerSettings
from hydra.trading.durations import SECOND
from hydra.trading.restarts import RESTARTS_MAX, WINDOW_NS
from tests.deploy.shipped import (
    CANARY,
    DASHBOARD,
    DEPLOY,
    ENGINE,
    INSTALLED,
    ROOT,
    SNAPSHOT,
    SUPERVISORD,
    VENUE,
    WATCH,
    supervisord_programs,
    systemd_unit,
)

PERSONS = {code for code in ExitCode if code == ExitCode.USAGE or 10 <= code <= 15}
"""What only a person can put right: to start again changes nothing."""
DETECTED_S = (DETECT_WITHIN + LEASE) / SECOND
"""After so long the order gate has shut by itself; before that nothing is to be killed."""

UNITS = [ENGINE, VENUE, WATCH, DASHBOARD, SNAPSHOT, CANARY]
engine, venue, watch, dashboard, snapshot, canary = (systemd_unit(unit) for unit in UNITS)
programs = supervisord_programs()
paper, hydra_watchdog = programs["program:hydra-paper"], programs["program:hydra-watchdog-paper"]


def one(unit: dict[str, list[str]], name: str) -> str:
    (value,) = unit[name]
    return value


def test_systemd_restarts_nothing_that_only_a_person_can_put_right() -> None:
    prevented = {int(code) for code in one(engine, "Service.RestartPreventExitStatus").split()}

    assert prevented == PERSONS
    assert one(engine, "Service.Restart") == "on-failure"  # so 0 ends it, and 16, 20 and 1 do not


def test_supervisord_restarts_nothing_that_only_a_person_can_put_right() -> None:
    expected = {int(code) for code in paper["exitcodes"].split(",")}

    assert expected == PERSONS | {ExitCode.CLEAN}
    assert (paper["autorestart"], paper["startsecs"]) == ("unexpected", "0")


def test_systemd_gives_up_where_the_engine_would_halt_i75() -> None:
    assert int(one(engine, "Unit.StartLimitBurst")) == 1 + RESTARTS_MAX
    assert int(one(engine, "Unit.StartLimitIntervalSec")) == WINDOW_NS // SECOND


@pytest.mark.parametrize(
    ("unit", "program"),
    [(watch, "program:hydra-watch-paper"), (dashboard, "program:hydra-dashboard-paper")],
)
def test_who_looks_on_is_started_again_whatever_ends_it_but_for_what_a_person_has_to_mend(
    unit: dict[str, list[str]], program: str
) -> None:
    prevented = {ExitCode.USAGE, ExitCode.CONFIGURATION_REFUSED, ExitCode.HELD_BY_ANOTHER}

    told = {int(code) for code in one(unit, "Service.RestartPreventExitStatus").split()}
    assert told == prevented
    assert {int(code) for code in programs[program]["exitcodes"].split(",")} == {0, *prevented}
    assert (one(unit, "Service.Restart"), one(unit, "Unit.StartLimitIntervalSec")) == (
        "always",
        "0",
    )


def test_the_watch_has_no_part_of_the_file_with_the_brokers_keys_i84() -> None:
    assert one(watch, "Service.EnvironmentFile") == "-/etc/hydra-trader/%i-watch.env"
    assert one(engine, "Service.EnvironmentFile") == "-/etc/hydra-trader/%i.env"


def test_the_dashboard_has_no_keys_and_speaks_to_this_machine_alone_i84_i86() -> None:
    assert "Service.EnvironmentFile" not in dashboard
    assert one(dashboard, "Service.IPAddressDeny") == "any"
    assert one(dashboard, "Service.IPAddressAllow") == "localhost"


def test_the_canary_has_keys_of_its_own_and_leaves_its_word_where_engines_look() -> None:
    told = parsed(one(canary, "Service.ExecStart"))
    settings = load_settings(ROOT / "config")

    assert one(canary, "Service.EnvironmentFile") == "-/etc/hydra-trader/%i-canary.env"
    assert told["--venue"] == VenueName.PAPER.value
    for name in (VenueName.PAPER, VenueName.LIVE):
        of_venue = settings.model_copy(update={"broker": BrokerSettings(venue=name)})
        files = files_of_venue(of_venue, None, None)
        assert (files.canary, files.lock.parent == Path(told["--state-dir"])) == (
            Path(told["--dir"]),
            False,
        )


def test_a_stop_is_given_the_time_that_the_engine_may_take_and_a_kill_takes_all_of_it() -> None:
    assert int(one(engine, "Service.TimeoutStopSec")) > GONE_WITHIN_S
    assert int(paper["stopwaitsecs"]) > GONE_WITHIN_S
    assert (one(engine, "Service.KillMode"), one(engine, "Service.KillSignal")) == (
        "mixed",
        "SIGTERM",
    )
    assert (paper["stopsignal"], paper["stopasgroup"], paper["killasgroup"]) == (
        "TERM",
        "false",
        "true",
    )


def test_the_watchdogs_have_more_patience_than_the_lease_i77() -> None:
    within = parsed(hydra_watchdog["command"])["--within"]

    assert one(engine, "Service.Type") == "notify"
    assert one(engine, "Service.NotifyAccess") == "main"
    assert int(one(engine, "Service.WatchdogSec")) > 2 * DETECTED_S
    assert float(within) > 2 * DETECTED_S
    assert paper_environment()["WATCHDOG_USEC"] == f"{int(within) * 1_000_000}"


def test_the_engine_speaks_to_the_socket_that_the_watchdog_of_supervisord_makes() -> None:
    assert paper_environment()["NOTIFY_SOCKET"] == parsed(hydra_watchdog["command"])["--socket"]
    assert int(hydra_watchdog["priority"]) < int(paper["priority"])  # lower ones start first


def test_an_engine_that_waits_for_its_broker_is_not_taken_for_one_that_does_not_start() -> None:
    assert one(engine, "Service.TimeoutStartSec") == "infinity"


@pytest.mark.parametrize(
    ("unit", "folder"),
    [
        (ENGINE, "/var/lib/hydra-trader/%i"),
        (WATCH, "/var/lib/hydra-trader/%i"),
        (DASHBOARD, "/var/lib/hydra-trader/%i"),
        (SNAPSHOT, "/var/lib/hydra-trader/%i"),
        (CANARY, "/var/lib/hydra-trader/%i"),
        (VENUE, "/var/lib/hydra-venue"),
    ],
)
def test_a_unit_may_write_to_its_own_folder_alone_where_it_works(unit: Path, folder: str) -> None:
    told = systemd_unit(unit)

    assert one(told, "Service.ProtectSystem") == "strict"
    assert one(told, "Service.ReadWritePaths") == one(told, "Service.WorkingDirectory") == folder
    assert folder.removeprefix("/var/lib/") in one(told, "Service.StateDirectory").split()
    assert one(told, "Service.UMask") == "0077"
    assert one(told, "Service.LimitCORE") == "0"


COMMANDS = [
    one(engine, "Service.ExecStart"),
    one(venue, "Service.ExecStart"),
    one(watch, "Service.ExecStart"),
    one(dashboard, "Service.ExecStart"),
    *snapshot["Service.ExecStart"],
    one(canary, "Service.ExecStart"),
    *(programs[name]["command"] for name in programs.sections()),
]


_VERBS = (
    ["venue", "serve"],
    ["watch"],
    ["dashboard"],
    ["snapshot"],
    ["track-record"],
    ["canary"],
)


def parsed(command: str) -> dict[str, str]:
    """Its options by name; "" for those without a value."""
    words = shlex.split(command)
    return {
        word: "" if following.startswith("--") else following
        for word, following in zip(words, [*words[1:], "--"], strict=True)
        if word.startswith("--")
    }


def paper_environment() -> dict[str, str]:
    pairs = shlex.split(paper["environment"].replace(",", " "))
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_unit_starts_is_there_and_knows_its_options(command: str) -> None:
    program, *words = shlex.split(command)
    assert program in {f"{INSTALLED}/.venv/bin/{name}" for name in ("hydra-trader", "python")}

    if words[:2] == ["-m", "hydra.ops.watchdog"]:
        watchdog._parser().parse_args(words[2:])
    elif words[0] == "run":
        from hydra.main import _parser

        at = [word.replace("%i", VenueName.PAPER.value) for word in words[1:]]
        assert _parser().parse_args(at).venue == VenueName.PAPER.value
    else:
        verb = words[: next(n for n, word in enumerate(words) if word.startswith("--"))]
        shown = CliRunner().invoke(app, [*verb, "--help"], env={"COLUMNS": "200"})
        assert verb in _VERBS
        assert all(option in shown.stdout for option in parsed(command))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_knows_every_directive(unit: Path, tmp_path: Path) -> None:
    """`%i` is paper; what the unit starts is what runs this test, wherever that lies."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze, which this machine does not have")
    text = unit.read_text().replace(f"{INSTALLED}/.venv/bin/hydra-trader", sys.executable)
    path = tmp_path / unit.name.replace("@", "@paper")
    path.write_text(text)

    verified = subprocess.run(
        [analyze, "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert (verified.stdout, verified.stderr, verified.returncode) == ("", "", 0)


def test_supervisord_knows_every_option(tmp_path: Path) -> None:
    """By its own reader, which passes over what it does not know: so what it asks for is noted."""
    options = pytest.importorskip("supervisor.options", reason="supervisord is not installed")
    reader, parser = options.ServerOptions(), options.UnhosedConfigParser()
    asked: set[tuple[str, str]] = set()
    take = parser.saneget

    def noted(section: str, option: str, *args: Any, **more: Any) -> Any:
        asked.add((section, option))
        return take(section, option, *args, **more)

    parser.saneget = noted
    text = SUPERVISORD.read_text().replace("user=hydra\n", "user=nobody\n")
    parser.expansions = reader.environ_expansions
    parser.read_string(text.replace("/var/log/hydra-trader", str(tmp_path)))

    groups = reader.process_groups_from_parser(parser)

    given = {(name, option) for name in parser.sections() for option in parser.options(name)}
    assert given - asked == set()
    assert {f"program:{group.name}" for group in groups} == set(programs.sections())


@pytest.mark.parametrize("path", [*UNITS, SUPERVISORD], ids=lambda path: path.name)
def test_what_lies_in_deploy_is_in_its_page(path: Path) -> None:
    page = (DEPLOY / "README.md").read_text()

    assert str(path.relative_to(DEPLOY)) in page


def test_every_path_that_the_page_names_in_this_folder_is_there() -> None:
    words = (DEPLOY / "README.md").read_text().replace("`", " ").split()
    named = {word.strip(".,;:()") for word in words if word.startswith("deploy/")}

    assert {name for name in named if not (ROOT / name).exists()} == set()
    assert len(named) >= len(UNITS) + 1
