"""The image and what is started of it, as they are shipped."""

import fnmatch
import re
import shlex
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from hydra.cli import app
from hydra.ops.ending import GONE_WITHIN_S
from hydra.settings import VenueName
from hydra.trading.restarts import RESTARTS_MAX
from tests.deploy.shipped import DEPLOY, INSTALLED, ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "container" / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_container_starts_is_a_command_that_knows_its_options(name: str) -> None:
    verb, *words = shlex.split(SERVICES[name]["command"])

    if verb == "run":
        from hydra.main import _parser

        assert _parser().parse_args(words).venue == VenueName.PAPER.value
    else:
        shown = CliRunner().invoke(app, [verb, "--help"], env={"COLUMNS": "200"})
        assert shown.exit_code == 0
        assert all(word in shown.stdout for word in words if word.startswith("--"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_may_write_to_its_state_alone_and_leaves_no_core_i84(name: str) -> None:
    service = SERVICES[name]

    state, config = service["volumes"]
    assert state == "paper:/var/lib/hydra-trader"
    assert config.endswith(":/etc/hydra-trader/config:ro")
    assert (service["read_only"], service["tmpfs"]) == (True, ["/tmp"])
    assert (service["cap_drop"], service["ulimits"]) == (["ALL"], {"core": 0})
    assert "no-new-privileges:true" in service["security_opt"]


def test_the_keys_are_the_engine_s_alone_i84() -> None:
    given = {name: service.get("env_file") for name, service in SERVICES.items()}

    assert given == {
        "engine": "${HYDRA_ENV:-../../.env}",
        "watch": "${HYDRA_WATCH_ENV:-../../watch.env}",
        "dashboard": None,
    }


def test_no_port_is_published_to_anybody_i86() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == []


def test_a_stop_is_given_the_time_that_the_engine_may_take_and_a_crash_is_not_tried_for_ever() -> (
    None
):
    engine = SERVICES["engine"]

    assert int(engine["stop_grace_period"].removesuffix("s")) > GONE_WITHIN_S
    assert engine["restart"] == f"on-failure:{RESTARTS_MAX}"
    assert re.search(r"^STOPSIGNAL SIGTERM$", DOCKERFILE, re.MULTILINE)


def test_all_see_the_same_processes_since_the_lock_names_one() -> None:
    assert {service["pid"] for service in SERVICES.values()} == {"host"}


def test_the_image_is_made_of_what_it_needs_and_of_no_keys_and_no_state_i83() -> None:
    assert IGNORED[1] == "*"  # all that is not named
    named = [line.removeprefix("!") for line in IGNORED if line.startswith("!")]
    assert all((ROOT / name).exists() for name in named)
    needed = ("actors", "hydra", "messages", "supervisors", "config", "Makefile", "pyproject.toml")
    assert {*needed, "requirements.lock", "README.md", "LICENSE"} == set(named)
    kept_out = (".env", "state", "logs", "runs", ".git", ".venv", "tests", "paper.env")
    assert not any(fnmatch.fnmatch(path, name) for path in kept_out for name in named)


def test_the_image_installs_from_the_lock_and_runs_as_nobody_else() -> None:
    assert f"COPY . {INSTALLED}\n" in DOCKERFILE
    assert "RUN make setup" in DOCKERFILE  # which checks each hash
    assert re.search(r"^USER hydra$", DOCKERFILE, re.MULTILINE)
    assert "pip install" not in DOCKERFILE
