"""A run with the signal bot, as a process: a file of signals against a market in virtual time."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

PLAY = ("-m", "hydra.main", "--clock", "virtual")
SIGNALS: list[dict[str, Any]] = [
    {"id": "a", "action": "buy", "at": "2026-01-05T15:00:30Z", "notional_usd": 900},
    {"id": "b", "action": "sell", "at": "2026-01-05T15:04:10Z"},
    {"id": "a", "action": "buy", "at": "2026-01-05T15:10:10Z", "notional_usd": 900},
    {"id": "c", "action": "buy", "at": "2026-01-05T15:30:10Z", "notional_usd": 9000},
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    config = tmp_path / "config"
    config.mkdir()
    for name in ("settings.yaml", "bots.yaml"):
        text = (
            (HOME / "config" / name).read_text("utf-8").replace("enabled: true", "enabled: false")
        )
        text = text.replace("signalbot:\n  enabled: false", "signalbot:\n  enabled: true")
        for needed in ("exitbot", "portfoliobot"):
            text = text.replace(f"{needed}:\n  enabled: false", f"{needed}:\n  enabled: true")
        (config / name).write_text(text)
    lines = [json.dumps({"symbol": "MSFT", **each}) for each in SIGNALS]
    file = tmp_path / "signals.jsonl"
    file.write_text("\n".join([*lines[:2], "nonsense", *lines[2:], ""]))
    file.chmod(0o600)
    return tmp_path


def run(place: Path, state: str, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *PLAY, "--state-dir", state, "--log-dir", f"{state}-logs", *more],
        env={**os.environ, "PYTHONPATH": str(HOME)},
        cwd=place,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def kept(place: Path, state: str, name: str) -> list[dict[str, object]]:
    text = (place / state / "signals" / name).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_a_file_of_signals_is_played_each_at_its_time_and_the_same_again_i16(place: Path) -> None:
    first, second = run(place, "one"), run(place, "two")
    again = run(place, "one")

    assert (first.returncode, second.returncode, again.returncode) == (0, 0, 0), first.stderr
    orders = kept(place, "one", "orders.jsonl")
    assert [(each["id"], each["done"]) for each in orders] == [
        ("a", "wanted"),
        ("a", "complete"),
        ("b", "wanted"),
        ("b", "complete"),
        ("c", "refused"),
    ]
    assert orders == kept(place, "two", "orders.jsonl")
    assert [each["line"] for each in kept(place, "one", "bad_lines.jsonl")] == [3]
    # The embedded account is over with its session, and what was done on it with it.
    assert (place / "one" / "ended" / "000001" / "signals" / "orders.jsonl").exists()


def test_a_dry_run_sends_nothing_and_says_so_of_each_signal(place: Path) -> None:
    played = run(place, "one", "--dry-run")

    assert played.returncode == 0, played.stderr
    done = [(each["id"], each["done"]) for each in kept(place, "one", "orders.jsonl")]
    assert ("a", "wanted") in done
    assert ("a", "complete") not in done
