"""A thousand momentum bots on as many symbols, in the whole engine: what it costs to run them.

Each symbol's bar closes once a second, so that every bot decides once a second. The market is a
thread of the same process, with the venue in it; nothing of the engine is left out.
"""

import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec

from hydra.ops.bench.disk import folder_of_its_own
from hydra.ops.bench.memory import POOLED, PROJECT, probe
from hydra.ops.bench.rows import Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.thousand_bots_probe import Readings

BOTS = 1_000
SECONDS, SECONDS_AT_ONCE = 20, 10
PROBE = "hydra.ops.bench.thousand_bots_probe"
DONE_WITHIN_S = 60.0
"""Beyond the time that ticks come: start, warm-up and end."""

CROWD = (
    f"{BOTS:,} momentum bots on {BOTS:,} symbols, each with a bar a second, in the whole engine of "
    "the configuration, record and journal on the disk, orders as its limits allow; bars of "
)
SCENE = f"{CROWD}different symbols end at even distances; over {SECONDS} s"
CPU = Figure(
    name="bots_1000_cpu",
    unit="%",
    what=f"processor time of the whole process, market and venue with it, of one core: {SCENE}",
    bound="their strategies over such bars, a plain loop",
    bar=Bar(at_most=100),
)
RESIDENT = Figure(
    name="bots_1000_memory",
    unit="MiB",
    what=f"resident memory at its end: {SCENE}",
    bound="the process with its modules, before anything begins",
    bar=Bar(at_most=300),
)
IDLE = Figure(
    name="bots_1000_idle_each",
    unit="KiB",
    what=f"what the start of the engine with {BOTS:,} momentum bots adds to resident memory, all "
    "of the engine with it, for each bot, before the first bar",
    bound="two deques and a dictionary",
    aim="16 KiB",
)
DECISION_P50 = Figure(
    name="bots_1000_decision_p50",
    unit="ms",
    what="from the market's thread, just before it tells the venue and the data feed of a bar, "
    f"until the bot has decided on it: {SCENE}",
    bound="two hand-offs between threads",
)
DECISION_P99 = Figure(
    name="bots_1000_decision_p99",
    unit="ms",
    what=DECISION_P50.what,
    bound=DECISION_P50.bound,
    bar=Bar(at_most=100),
)
AT_ONCE = Figure(
    name="bots_1000_at_once_p99",
    unit="ms",
    what="the same where all bars end together, as those of a minute do: "
    f"{CROWD}all symbols end, and are told, at once; over {SECONDS_AT_ONCE} s",
    bound=CPU.bound,
    aim="100 ms",
)


def take_crowd(
    effort: Effort, config: Path, state_dir: Path, bots: int = BOTS
) -> tuple[Measured, ...]:
    """Two runs of a process of its own. Raises `CouldNotMeasure` with its last words."""
    evenly = effort.count(SECONDS * 1_000, least=300)
    with folder_of_its_own(state_dir) as own:
        found = _readings(own, config, bots, evenly, "even")
    together = effort.count(SECONDS_AT_ONCE * 1_000, least=1_000)  # a bar is due in it
    with folder_of_its_own(state_dir) as own:
        at_once = _readings(own, config, bots, together, "at_once")
    return (
        Measured(found.cpu_pct, found.bare_second_ms / 10),
        Measured(found.resident_mib, found.bare_resident_mib),
        Measured(found.idle_kib / bots, probe("mailboxes", POOLED)),
        Measured(found.decision_p50_ms, found.hand_off_p50_ms),
        Measured(found.decision_p99_ms, found.hand_off_p99_ms),
        Measured(at_once.decision_p99_ms, at_once.bare_second_ms),
    )


def _readings(folder: Path, config: Path, bots: int, milliseconds: int, pace: str) -> Readings:
    of_probe = (folder, config.absolute(), bots, milliseconds, pace)
    command = [sys.executable, "-m", PROBE, *map(str, of_probe)]
    within = DONE_WITHIN_S + milliseconds / 1_000
    try:
        run = subprocess.run(
            command, cwd=PROJECT, capture_output=True, text=True, timeout=within, check=False
        )
    except subprocess.TimeoutExpired:
        raise CouldNotMeasure(f"the engine with its bots was not done in {within:g} s") from None
    if run.returncode != 0:
        last = run.stderr.strip().rpartition("\n")[2]
        raise CouldNotMeasure(f"the engine with its bots: exit {run.returncode}: {last}")
    return msgspec.json.decode(run.stdout, type=Readings)


def thousand_bots(config: Path, state_dir: Path) -> Measurement:
    """Bots after the first one of this configuration; the disk is that of `state_dir`."""
    return Measurement(
        name="bots_1000",
        figures=(CPU, RESIDENT, IDLE, DECISION_P50, DECISION_P99, AT_ONCE),
        take=partial(take_crowd, config=config, state_dir=state_dir),
    )
