"""`hydra-trader watch`, as an operator starts it: a process of its own beside an engine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from hydra.ops.exit_codes import ExitCode
from tests.ops.alerts.test_channels import PASSWORD, Service, service
from tests.ops.control.command_line import asks, places, says
from tests.ops.control.engines import controlled
from tests.ops.control.lives import lived
from tests.ops.test_health import HALTED, make_well
from tests.waiting import Timed, eventually

__all__ = ["service"]

CLEAN = {"LIVE_DISABLE_NETWORK": "1", "HYDRA_ALERT_URLS": "", "HYDRA_HEARTBEAT_URL": ""}


class Watch:
    """The process, and all that it has said."""

    def __init__(self, folder: Path, environ: Mapping[str, str], *words: str) -> None:
        self._out = folder / "watch.out"
        command = [sys.executable, "-m", "hydra.cli", "watch", *places(folder), *words]
        with self._out.open("ab") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=out, env={**os.environ, **CLEAN, **environ}, cwd=folder,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self._out.read_text()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@contextmanager
def watching(folder: Path, environ: Mapping[str, str], *words: str) -> Iterator[Watch]:
    watch = Watch(folder, {"PYTHONPATH": str(Path(__file__).parents[2]), **environ}, *words)
    try:
        assert eventually(lambda: "watching " in watch.said, 20), watch.said
        yield watch
    finally:
        watch.process.kill()
        watch.process.wait()


def test_a_halt_reaches_people_and_the_watch_stops_when_it_is_told_to_i89(
    tmp_path: Path, service: Service
) -> None:
    address = service.address("hook").reveal()
    beat = f"http://{service.host}/beat"
    environ = {"HYDRA_ALERT_URLS": address, "HYDRA_HEARTBEAT_URL": beat}
    with controlled(tmp_path, bots=("mom_AAPL",)) as engine, watching(tmp_path, environ) as watch:
        make_well(engine)
        assert eventually(lambda: service.beats == 1)
        with Timed() as reaching:
            engine.gate.arm((HALTED,), "a test", engine.gate.epoch)
            assert eventually(lambda: service.got)
        assert watch.stop() == ExitCode.CLEAN

    assert reaching.took_s < 5
    (got,) = service.got
    assert got["title"].endswith(": WARNING: operator-halt")
    assert "a drill" in got["message"]
    assert PASSWORD not in watch.said
    shown = says(tmp_path, "watch", "--show")
    assert "stands  warning, since 20" in shown.stdout
    assert re.search(r"delivered  JSON [0-9a-f]{6}\n", shown.stdout)
    incidents = asks(tmp_path, "watch", "--show")["incidents"]
    assert [each["key"] for each in incidents if each["told_at"]] == ["cause operator-halt"]


def test_words_that_nobody_takes_keep_no_alert_from_people_i89(
    tmp_path: Path, service: Service
) -> None:
    """Its output may be a file on a disk that is full, or a pipe whose reader is gone."""
    lived(tmp_path)
    environ = {"PYTHONPATH": str(Path(__file__).parents[2])}
    environ |= {"HYDRA_ALERT_URLS": service.address("hook").reveal()}
    with Path("/dev/full").open("wb") as full:
        watch = subprocess.Popen(
            [sys.executable, "-m", "hydra.cli", "watch", *places(tmp_path)],
            stdout=full, env={**os.environ, **CLEAN, **environ}, cwd=tmp_path,
        )  # fmt: skip
        try:
            assert eventually((tmp_path / "state" / "alerts" / "state.json").exists, 20)
            with controlled(tmp_path, bots=("mom_AAPL",)) as engine:
                make_well(engine)
                engine.gate.arm((HALTED,), "a test", engine.gate.epoch)
                assert eventually(lambda: service.got, 20)
            watch.send_signal(signal.SIGTERM)
            assert watch.wait(20) == ExitCode.CLEAN
        finally:
            watch.kill()
            watch.wait()


def test_its_pages_are_for_this_machine_and_have_the_mailboxes(tmp_path: Path) -> None:
    with controlled(tmp_path) as engine, watching(tmp_path, {}, "--metrics-port", "0") as watch:
        make_well(engine)
        assert eventually(lambda: "metrics at " in watch.said)
        (port,) = re.findall(r"http://127\.0\.0\.1:(\d+)/metrics", watch.said)
        connection = HTTPConnection("127.0.0.1", int(port), timeout=10)

        def page() -> str:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()

        assert eventually(lambda: "hydra_up 1.0" in page())  # once it has looked
        assert 'hydra_mailbox_depth{path="/hydra/core/risk_guardian"}' in page()
        connection.close()


def test_without_an_address_it_prints_and_says_that_nobody_else_hears(tmp_path: Path) -> None:
    lived(tmp_path, in_order=False)
    with watching(tmp_path, {}) as watch:
        assert "alerts go to nobody: no HYDRA_ALERT_URLS" in watch.said


def test_a_second_watch_over_the_same_engine_is_refused(tmp_path: Path) -> None:
    with watching(tmp_path, {}):
        second = says(tmp_path, "watch")

    assert second.exit_code == ExitCode.HELD_BY_ANOTHER
    assert "found another watch at work" in second.stderr


def test_a_test_says_of_each_channel_whether_it_took_it(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVE_DISABLE_NETWORK", "1")
    good, bad = (service.address(page).reveal() for page in ("hook", "broken"))
    monkeypatch.setenv("HYDRA_ALERT_URLS", f"{good} {bad}")
    both = says(tmp_path, "watch", "--test")
    monkeypatch.setenv("HYDRA_ALERT_URLS", good)
    one = says(tmp_path, "watch", "--test")

    assert (both.exit_code, one.exit_code) == (1, 0)
    assert [line.split("  ")[0] for line in both.stdout.splitlines()] == ["pass", "FAIL"]
    assert PASSWORD not in both.stdout
    assert [got["message"] for got in service.got] == ["Alerts arrive here. Nothing happened."] * 3


@pytest.mark.parametrize(
    ("variables", "words", "code", "said"),
    [
        ({}, ["--test"], ExitCode.USAGE, "HYDRA_ALERT_URLS: found no address"),
        ({}, ["--daily", "25:00"], ExitCode.USAGE, "--daily: found '25:00', wanted HH:MM"),
        ({}, ["--daily", "17:00Z"], ExitCode.USAGE, "--daily: found '17:00Z', wanted HH:MM"),
        (
            {"HYDRA_ALERT_URLS": "slack://token-token"},
            [],
            ExitCode.CONFIGURATION_REFUSED,
            "address 1 of 1 is none that apprise can use",
        ),
        (
            {"HYDRA_ALERT_URLS": "json://example.com/x"},
            [],
            ExitCode.CONFIGURATION_REFUSED,
            'set LIVE_DISABLE_NETWORK="0"',
        ),
        (
            {"HYDRA_HEARTBEAT_URL": "https://example.com/x"},
            [],
            ExitCode.CONFIGURATION_REFUSED,
            "HYDRA_HEARTBEAT_URL is of another machine",
        ),
        (
            {"HYDRA_ALERT_URLS": "not an address"},
            [],
            ExitCode.CONFIGURATION_REFUSED,
            "number 1 of 3 is no address",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: Mapping[str, str],
    words: list[str],
    code: ExitCode,
    said: str,
) -> None:
    for name, value in {**CLEAN, **variables}.items():
        monkeypatch.setenv(name, value)
    result = says(tmp_path, "watch", *words)

    assert (result.exit_code, result.stderr.count("\n")) == (code, 1)
    assert said in result.stderr
    assert "token-token" not in result.stderr


def test_a_port_that_is_taken_is_refused_in_one_line(tmp_path: Path, service: Service) -> None:
    port = service.host.partition(":")[2]
    result = says(tmp_path, "watch", "--metrics-port", port)

    assert (result.exit_code, result.stderr) == (
        ExitCode.USAGE,
        f"--metrics-port {port}: Address already in use\n",
    )


def test_to_show_what_nobody_has_told_says_so(tmp_path: Path) -> None:
    assert says(tmp_path, "watch", "--show").stdout.endswith("nothing was told yet\n")
