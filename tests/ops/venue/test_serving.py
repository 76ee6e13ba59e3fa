"""`venue serve` as a process of its own: how it starts, ends, refuses, and goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hydra.ops.venue.serving import Refused, VenueOptions, keys_of
from hydra.venues.exchange_calendar import sessions
from hydra.venues.simulated.server.rest.keys import ApiKeys

KEYS = {"ALPACA_KEY": "HYDRA0001", "ALPACA_SECRET": "a secret"}
HEADERS = {"APCA-API-KEY-ID": "HYDRA0001", "APCA-API-SECRET-KEY": "a secret"}
TOKEN = "an admin's token"
WITHIN_S = 20.0
BARS = Path(__file__).parents[4] / "shared" / "market-data" / "equity_1m"

Start = Callable[..., "Venue"]


class Venue:
    """A running `venue serve`."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hydra.cli", "venue", "serve", *arguments],
            env={**kept, **KEYS, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = ""

    def ready(self) -> Venue:
        """Once it serves."""
        line = self._said()
        assert line.startswith("ready http://127.0.0.1:"), (line, self.refused())
        self.url = line.split()[1]
        return self

    def refused(self) -> tuple[int, str]:
        """How it ended by itself, and what it said."""
        _, words = self.process.communicate(timeout=WITHIN_S)
        return self.process.returncode, words

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of the venue, which must be willing."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={**HEADERS, "X-Hydra-Admin-Token": TOKEN},
        )
        with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
            return json.loads(answer.read())

    def end(self, number: int = signal.SIGTERM) -> int:
        """The exit code after this signal."""
        self.process.send_signal(number)
        return self.process.wait(WITHIN_S)

    def clean_up(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        with self.process:
            pass  # its pipes are closed, and it is waited for

    def _said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture(scope="session")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exchange's sessions as a venue keeps them: to compute them takes seconds."""
    folder = tmp_path_factory.mktemp("calendar")
    sessions("2025-12-01", "2027-03-31", folder)
    return folder


@pytest.fixture
def state(tmp_path: Path, calendar: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    shutil.copytree(calendar, folder / "cache")
    return folder


@pytest.fixture
def start(state: Path) -> Iterator[Start]:
    """Starts one that keeps its state; all are gone at the end."""
    started: list[Venue] = []

    def starting(*arguments: str, **environment: str) -> Venue:
        started.append(Venue("--state-dir", str(state), *arguments, **environment))
        return started[-1]

    yield starting
    for venue in started:
        venue.clean_up()


def options(**given: Any) -> VenueOptions:
    return VenueOptions(**given)


@pytest.mark.parametrize(
    ("given", "environment", "keys"),
    [
        ({"key": "K", "secret": "S"}, {}, ApiKeys("K", "S")),
        ({}, KEYS, ApiKeys("HYDRA0001", "a secret")),
        ({"key": "K", "secret": "S"}, KEYS, ApiKeys("HYDRA0001", "a secret")),
    ],
)
def test_keys_come_from_the_environment_before_the_arguments(
    given: dict[str, str], environment: dict[str, str], keys: ApiKeys
) -> None:
    assert keys_of(options(**given), environment) == (keys, False)


def test_keys_that_nobody_gave_are_made_up_and_never_twice_the_same() -> None:
    first, are_made_up = keys_of(options(), {})
    second, _ = keys_of(options(), {})

    assert are_made_up
    assert first.key_id.startswith("HYDRA")
    assert first != second


@pytest.mark.parametrize(
    ("given", "environment", "words"),
    [
        ({"key": "K"}, {}, "found no ALPACA_SECRET"),
        ({}, {"ALPACA_SECRET": "S"}, "found no ALPACA_KEY"),
        ({"key": "PK" + "A" * 18, "secret": "S"}, {}, "begins with PK"),
        ({}, {"ALPACA_KEY": "AK" + "7" * 18, "ALPACA_SECRET": "S"}, "begins with AK"),
    ],
)
def test_half_a_pair_and_keys_of_a_real_account_are_refused(
    given: dict[str, str], environment: dict[str, str], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        keys_of(options(**given), environment)


def test_it_says_when_it_serves_and_ends_cleanly_when_told_to(start: Start) -> None:
    venue = start("--symbols", "AAPL").ready()

    account = venue.ask("GET", "/v2/account")

    assert account["account_number"].startswith("PA")
    assert "HYDRA" in account["account_number"]
    assert venue.end() == 0
    assert "NOT REAL MONEY" in (venue.process.stdout.read() if venue.process.stdout else "")


def test_it_ends_with_the_pipe_of_its_parent(start: Start) -> None:
    venue = start("--symbols", "AAPL", "--exit-with-parent").ready()

    assert venue.process.stdin is not None
    venue.process.stdin.close()

    assert venue.process.wait(WITHIN_S) == 0


@pytest.mark.slow
def test_another_process_on_the_same_state_is_refused(start: Start, state: Path) -> None:
    start("--symbols", "AAPL").ready()

    code, words = start("--symbols", "AAPL").refused()

    assert (code, words) == (
        11,
        f"{state}: another process serves this venue; stop it, or use another folder\n",
    )


@pytest.mark.slow
def test_what_cannot_be_served_is_refused_in_one_line(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refusals = [
            start("--port", port).refused(),
            start("--data", str(tmp_path / "none.csv")).refused(),
            start("--symbols", ",").refused(),
            start(ALPACA_SECRET="").refused(),
        ]

    assert [code for code, _ in refusals] == [2, 2, 2, 2]
    for (_, words), wanted in zip(
        refusals, (f"port {port}: ", "none.csv", "--symbols: found none", "ALPACA_SECRET"),
        strict=True,
    ):  # fmt: skip
        assert wanted in words
        assert words.count("\n") == 1


@pytest.mark.slow
def test_a_parent_without_a_pipe_is_refused(state: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "hydra.cli", "venue", "serve", "--symbols", "AAPL",
         "--exit-with-parent", "--state-dir", str(state)],
        check=False,
        env={**os.environ, **KEYS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )  # fmt: skip

    assert ended.returncode == 2
    assert ended.stderr.startswith("--exit-with-parent: standard input is no pipe")


@pytest.mark.slow
def test_a_state_of_another_venue_is_refused(start: Start) -> None:
    start("--symbols", "AAPL").ready().end()

    code, words = start("--symbols", "AAPL", "--seed", "1").refused()

    assert code == 13
    assert "found a venue with terms" in words


BUY = {"symbol": "AAPL", "qty": "3", "side": "buy", "type": "market", "time_in_force": "day"}


def test_killed_and_started_again_it_is_the_same_account_and_the_market_has_gone_on(
    start: Start,
) -> None:
    arguments = ("--symbols", "AAPL,SPY", "--speed", "600", "--admin-token", TOKEN)
    first = start(*arguments).ready()
    first.ask("POST", "/hydra-admin/clock", {"type": "set", "time": "2026-01-05T14:31:00Z"})
    bought = first.ask("POST", "/v2/orders", BUY)
    resting = first.ask(
        "POST", "/v2/orders", {**BUY, "symbol": "SPY", "type": "limit", "limit_price": "1"}
    )
    before = first.ask("GET", "/hydra-admin/clock")
    killed_at = time.monotonic()
    assert first.end(signal.SIGKILL) == -signal.SIGKILL

    again = start(*arguments).ready()
    after = again.ask("GET", "/hydra-admin/clock")
    down_s = time.monotonic() - killed_at

    orders = {order["id"]: order for order in again.ask("GET", "/v2/orders?status=all")}
    assert orders[bought["id"]]["status"] == "filled"
    assert orders[resting["id"]]["status"] == "new"
    (position,) = again.ask("GET", "/v2/positions")
    assert (position["symbol"], position["qty"]) == ("AAPL", "3")
    gone_on_s = (after["now"] - before["now"]) / 1e9
    assert 60 < gone_on_s <= 600 * (down_s + 1)
    assert after["events"] > before["events"]


@pytest.mark.slow
@pytest.mark.skipif(not BARS.is_dir(), reason="the real market data are not beside the project")
def test_it_plays_real_bars_of_a_file_and_of_a_manifest(start: Start, tmp_path: Path) -> None:
    file = min(BARS.glob("*.csv.gz"), key=lambda each: each.stat().st_size)
    symbol = file.name.split("_")[0]
    manifest = tmp_path / "MANIFEST.yaml"
    manifest.write_text(f"bars:\n  - file: {file}\n    symbol: {symbol}\n")

    for data in (file, manifest):
        venue = start("--data", str(data), "--clock", "virtual").ready()
        asset = venue.ask("GET", f"/v2/assets/{symbol}")
        assert asset["tradable"]
        assert venue.end() == 0
