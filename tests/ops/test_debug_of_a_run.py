"""The debug commands against the real engine, in another process, while it trades."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hydra.store.journal import read_journal
from tests.ops.sessions import shares_alone
from tests.waiting import eventually

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
BOT = "/hydra/bots/mom_AAPL"
SHARES = "AAPL"
FILLED_WITHIN_S = 60.0
FILLED = re.compile(rb'"report":"OrderFilled".*"symbol":"AAPL"')


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Of an engine that has had its first fill of shares and goes on trading."""
    folder = tmp_path_factory.mktemp("run")
    config = shares_alone(folder)
    bots = config / "bots.yaml"
    text = bots.read_text()
    bots.write_text(text.replace("optionsbot:\n  enabled: true", "optionsbot:\n  enabled: false"))
    assert bots.read_text() != text
    process = subprocess.Popen(
        [sys.executable, "-m", "hydra.main", "--speed", "300",
         "--config", str(config),
         "--state-dir", f"{folder}/state", "--log-dir", f"{folder}/logs"],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )  # fmt: skip
    journal = folder / "logs" / "app.jsonl"

    def has_a_fill() -> bool:
        return journal.exists() and FILLED.search(journal.read_bytes()) is not None

    assert eventually(lambda: has_a_fill() or process.poll() is not None, FILLED_WITHIN_S)
    assert process.poll() is None, process.communicate()[0]
    yield folder / "state"
    process.terminate()
    process.communicate(timeout=10)


def debug(state_dir: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "hydra.cli", "debug", *words, "--state-dir", str(state_dir)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return done.stdout


def asked(state_dir: Path, *words: str) -> Any:
    return json.loads(debug(state_dir, *words, "--json"))


def test_the_chain_of_an_order_runs_from_the_bar_to_the_fill_i28(state_dir: Path) -> None:
    # The first test of this file: cells remember the last 64 messages, here of the last bars.
    journal = state_dir.parent / "logs" / "app.jsonl"
    order = next(
        record["order"]["client_order_id"]  # type: ignore[index]
        for record in read_journal(journal)
        if record["event"] == "intent_stored" and SHARES in str(record["order"])
    )

    chain = debug(state_dir, "chain", str(order))

    for message in ("BarsReceived", "BarClosed", "OrderIntent", "OrderApproved", "OrderStored"):
        assert message in chain
    assert "OrderFilled" in chain and "ReportStored" in chain


def test_tree_mailboxes_state_and_peek_show_the_engine(state_dir: Path) -> None:
    tree = debug(state_dir, "tree")
    mailboxes = {row["path"]: row for row in asked(state_dir, "mailboxes")}
    state = debug(state_dir, "state", "/hydra/core/risk_guardian")

    assert all(name in tree for name in ("core", "risk_guardian", "mom_AAPL_cross", "reporter"))
    assert mailboxes[BOT]["status"] == "running"
    assert mailboxes[BOT]["processed"] > 10
    assert {
        "path", "status", "incarnation", "depth", "control_depth", "high_water", "oldest_ms",
        "processed", "failures", "restarts", "busy_ms",
    } <= mailboxes[BOT].keys()  # fmt: skip
    assert "ACTIVE" in state
    assert debug(state_dir, "peek", "/hydra/core/broker_gateway")


def test_trace_and_dead_letters_and_top_answer(state_dir: Path) -> None:
    assert "BarClosed" in debug(state_dir, "trace", BOT, "--max", "2")
    assert asked(state_dir, "dead-letters") is not None
    assert "mom_AAPL" in debug(state_dir, "top")
