"""Runs of the real program on the venue that a process of its own serves, replayed from their
bundles: what people and a second start of the engine did is in them too.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hydra.ops.flight import FOLDER
from hydra.research.recorded import replay_session
from hydra.runtime.recording import Called, Entry, events_in
from tests.ops.sessions import shares_alone
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

PROJECT = Path(__file__).resolve().parents[2]
FILLED = re.compile(rb'"report":"OrderFilled"')
BOT = "/hydra/bots/mom_AAPL"


@contextmanager
def engine(
    folder: Path, config: Path, *words: str, speed: int
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "hydra.main", "--speed", str(speed), "--config", str(config),
         "--state-dir", f"{folder}/state", "--log-dir", f"{folder}/logs", *words],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )  # fmt: skip

    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=20)


def command(folder: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "hydra.cli", *words, "--state-dir", f"{folder}/state"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
        timeout=20,
    )


def test_a_run_with_a_reload_a_halt_and_a_resume_and_the_one_that_goes_on_with_it_replay(
    tmp_path: Path,
) -> None:
    config, journal = shares_alone(tmp_path), tmp_path / "logs" / "app.jsonl"
    where = ("--config", str(config))
    with engine(tmp_path, config, speed=600) as first:
        assert eventually(
            lambda: journal.exists() and FILLED.search(journal.read_bytes()), within_s=60
        )
        smaller = config / "bots.yaml"
        text = smaller.read_text()
        smaller.write_text(text.replace("default_notional_usd: 1000", "default_notional_usd: 900"))
        assert eventually(lambda: b'"config_reloaded"' in journal.read_bytes())
        command(tmp_path, "debug", "state", BOT)
        command(tmp_path, "debug", "suspend", BOT, "--reason", "a look")
        command(tmp_path, "debug", "resume", BOT, "--reason", "seen")
        command(tmp_path, "halt", "--reason", "a test", *where)
        command(tmp_path, "resume", "--reason", "it was a test", *where)
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=20) == 0
    with engine(tmp_path, config, "--loops", "1", speed=600) as second:
        assert second.wait(timeout=60) == 0

    bundles = sorted((tmp_path / "state" / "runs").iterdir())
    assert len(bundles) == 2
    for bundle in bundles:
        again = replay_session(bundle)
        assert again.is_same, f"{again.incomplete}{again.difference}"
    kinds = [e.kind for e in events_in(bundles[0] / FOLDER) if isinstance(e, Entry)]
    done = {"GateTripped", "Resume", "Suspend", "OrderFilled", "ReplaceChild", "TakeTerms"}
    assert done <= set(kinds)


def test_a_run_that_was_killed_replays_up_to_its_last_second(tmp_path: Path) -> None:
    config, journal = shares_alone(tmp_path), tmp_path / "logs" / "app.jsonl"
    with engine(tmp_path, config, speed=600):
        assert eventually(
            lambda: journal.exists() and FILLED.search(journal.read_bytes()), within_s=60
        )  # and then it is killed

    (bundle,) = (tmp_path / "state" / "runs").iterdir()
    again = replay_session(bundle)

    assert (again.difference, again.incomplete) == (None, "the recording was cut off")
    assert again.messages > 100


def test_the_default_run_with_shares_options_and_coins_replays(tmp_path: Path) -> None:
    with engine(tmp_path, PROJECT / "config", speed=7200) as process:
        assert process.wait(timeout=100) == 0

    (bundle,) = (tmp_path / "state" / "runs").iterdir()
    again = replay_session(bundle)

    assert again.is_same, f"{again.incomplete}{again.difference}"
    asked = {e.port for e in events_in(bundle / FOLDER) if isinstance(e, Called)}
    assert asked >= {"option_chains.ask", "price_feed.follow", "venue.submit"}
