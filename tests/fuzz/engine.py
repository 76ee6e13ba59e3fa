"""Feeds a target for a while: what reaches new branches is kept and spoilt further.

A finding is an exception that is no documented refusal, an oracle's objection, an input that takes
too long, and memory that grows with the inputs. Each is made smaller and written to a file.
"""

import gc
import os
import random
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from tests.fuzz.target import Broken, Target, Verdict

KEPT_MAX = 4_000
SHRINK_S = 2.0
FINDINGS_MAX = 20
STUCK_AFTER_S = 60.0
"""Of the clock, for one input: then it never ends, and the process does."""
BEGIN_ANEW = 0.5
"""How often; what was spoilt again and again is refused for its first fault."""
GROWTH_INPUTS = 300
GROWTH_ROUNDS = 4
BLOCKS_AN_INPUT_MAX = 0.5
"""Of Python's memory. What keeps anything of each input keeps one block of it at least."""


class Probes(Protocol):
    """What the loop needs of `Coverage`."""

    @property
    def reached(self) -> int:
        """How many branches were reached so far."""

    def begin(self) -> None:
        """Another input comes."""

    def is_new(self) -> bool:
        """Whether it has reached what none before it has."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to be mended, and the input that shows it."""

    what: str
    place: str
    """Where it was raised; two findings of one place are one."""
    input: bytes

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.what.partition(":")[0], self.place


@dataclass(slots=True)
class Report:
    """What came of it, for one line."""

    name: str
    seconds: float = 0.0
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    new: int = 0
    reached: int = 0
    peak_mib: float = 0.0
    blocks_an_input: float = 0.0
    slowest_s: float = 0.0
    findings: list[Finding] = field(default_factory=list)

    def __str__(self) -> str:
        rate = self.inputs / self.seconds if self.seconds else 0.0
        return (
            f"{self.name}: {self.inputs} inputs, {rate:.0f}/s; {self.accepted} accepted, "
            f"{self.refused} refused; {self.new} new, {self.reached} branches; "
            f"slowest {self.slowest_s * 1000:.0f} ms; peak +{self.peak_mib:.1f} MiB, "
            f"{self.blocks_an_input:+.2f} blocks an input; {len(self.findings)} findings"
        )


class Fuzzing:
    """One target under fuzz, from one seed."""

    def __init__(
        self,
        target: Target,
        kept: Iterable[bytes],
        coverage: Probes,
        *,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        failures: Path | None = None,
    ) -> None:
        """`kept`: inputs to begin with, besides the seeds. Findings are written to `failures`."""
        self._target = target
        self._coverage = coverage
        self._dice = random.Random(f"{target.name} {seed}")
        self._clock = clock
        self._failures = failures
        self._begun_with = [*target.seeds, *kept]
        self._kept: list[bytes] = []
        self._chosen: list[int] = []
        self._fed_since = 0.0
        self._feeding = b""
        self.report = Report(target.name)

    def run(self, seconds: float) -> Report:
        """Feed it for so long."""
        with _Watch(self):
            self._run(seconds)
        return self.report

    def _run(self, seconds: float) -> None:
        begun = self._clock()
        for data in self._begun_with:
            self.feed(data)
            self._keep(data)
        peak_before = _peak_mib()
        for make in self._target.huge:
            self.feed(make())
        while self._clock() - begun < seconds and len(self.report.findings) < FINDINGS_MAX:
            at = self._choice()
            self._chosen[at] += 1
            data = self._spoilt(self._kept[at])
            if self.feed(data) and len(self._kept) < KEPT_MAX:
                self.report.new += 1
                self._keep(data)
        self.report.seconds = self._clock() - begun
        self.report.reached = self._coverage.reached
        self.report.peak_mib = _peak_mib() - peak_before
        if self.report.peak_mib > self._target.peak_mib_max:
            what = f"growth: the peak of memory rose by {self.report.peak_mib:.0f} MiB"
            self._found(Finding(what, "memory", b""))

    def feed(self, data: bytes) -> bool:
        """Give it one input; whether that reached anything new."""
        self._coverage.begin()
        self._feeding, self._fed_since = data, time.monotonic()
        finding = _finding_of(self._target, data, self.report)
        self._fed_since = 0.0
        is_new = self._coverage.is_new()
        if finding is not None and finding.key not in {each.key for each in self.report.findings}:
            self._found(self._smaller(finding))
        return is_new and finding is None

    def _spoilt(self, data: bytes) -> bytes:
        spoilt = self._target.spoil(data, self._dice)
        if self._dice.random() < 0.05:
            other = self._dice.choice(self._kept)
            cut, place = self._dice.randrange(len(spoilt) + 1), self._dice.randrange(len(other) + 1)
            spoilt = spoilt[:cut] + other[place:]
        return spoilt[: self._target.input_bytes_max]

    def _choice(self) -> int:
        """One that was chosen seldom, mostly; at times one of the first, which are whole."""
        if self._dice.random() < BEGIN_ANEW:
            return self._dice.randrange(len(self._begun_with))
        among = [self._dice.randrange(len(self._kept)) for _ in range(3)]
        return min(among, key=self._chosen.__getitem__)

    def _keep(self, data: bytes) -> None:
        self._kept.append(data)
        self._chosen.append(0)

    def _found(self, finding: Finding) -> None:
        self.report.findings.append(finding)
        if self._failures is not None:
            written_down(self._failures, self._target.name, finding)

    def _smaller(self, finding: Finding) -> Finding:
        """The same finding of an input with as much taken out as can be in a moment."""
        data, until = finding.input, self._clock() + SHRINK_S
        size = max(1, len(data) // 2)
        while size and self._clock() < until:
            at = 0
            while at < len(data) and self._clock() < until:
                less = data[:at] + data[at + size :]
                self._feeding, self._fed_since = less, time.monotonic()
                again = _finding_of(self._target, less, Report(""))
                if again is not None and again.key == finding.key:
                    data, finding = less, again
                else:
                    at += size
            size //= 2
        self._fed_since = 0.0
        return finding

    def look_for_growth(self) -> None:
        """The same inputs again and again: after two rounds nothing more is to be kept of them."""
        gc.freeze()  # what is there already stays, and need not be looked through each time
        try:
            with _Watch(self):
                self._look_for_growth()
        finally:
            gc.unfreeze()

    def _look_for_growth(self) -> None:
        inputs = self._dice.choices(self._kept or self._begun_with, k=GROWTH_INPUTS)
        rounds: list[float] = []
        for _ in range(2 + GROWTH_ROUNDS):
            begun = time.process_time()
            for data in inputs:
                self._feeding, self._fed_since = data, time.monotonic()
                _finding_of(self._target, data, Report(""))
            gc.collect()
            rounds.append(sys.getallocatedblocks())
            if time.process_time() - begun > 2.0:  # fewer of such slow ones say as much
                inputs = inputs[: max(30, len(inputs) // 2)]
        self._fed_since = 0.0
        # The least of the steps: a cache that fills up makes some of them large, a leak all.
        steps = [after - before for before, after in pairwise(rounds[1:])]
        self.report.blocks_an_input = min(steps) / max(1, len(inputs))
        if self.report.blocks_an_input > BLOCKS_AN_INPUT_MAX:
            what = f"growth: {self.report.blocks_an_input:.1f} blocks of memory stay of each input"
            self._found(Finding(what, "memory", b""))

    def stuck(self) -> None:
        """Look whether an input never ends, and end the process if so. From the watch's thread."""
        since = self._fed_since
        if since and time.monotonic() - since > STUCK_AFTER_S:
            finding = Finding(f"hang: over {STUCK_AFTER_S:.0f} s", "hang", self._feeding)
            print(f"{self._target.name}: {finding.what}", file=sys.stderr, flush=True)  # noqa: T201 (its last word)
            written_down(self._failures or Path.cwd(), self._target.name, finding)
            os._exit(3)


class _Watch:
    """A thread that looks every second whether an input hangs, for as long as the block."""

    def __init__(self, fuzzing: Fuzzing) -> None:
        self._fuzzing = fuzzing
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(1.0):
            self._fuzzing.stuck()


def checked(target: Target, data: bytes) -> Finding | None:
    """What is to be mended of what the target does with this input; None: nothing."""
    return _finding_of(target, data, Report(target.name))


def _finding_of(target: Target, data: bytes, report: Report) -> Finding | None:
    report.inputs += 1
    begun = time.process_time()
    try:
        verdict = target.feed(data)
    except target.refusals:
        verdict = Verdict.REFUSED
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what is looked for)
        return Finding(f"{type(error).__name__}: {error}"[:500], _place_of(error), data)
    took = time.process_time() - begun
    report.slowest_s = max(report.slowest_s, took)
    if verdict is Verdict.ACCEPTED:
        report.accepted += 1
    else:
        report.refused += 1
    if took > target.seconds_max:
        return Finding(f"hang: {took:.1f} s for {len(data)} bytes", "hang", data)
    return None


def written_down(folder: Path, name: str, finding: Finding) -> Path:
    """The input as a file whose name begins with the target's and what was wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    word = "".join(c if c.isalnum() else "-" for c in f"{finding.key[0]} {finding.place}")[:80]
    path = folder / f"{name}-{word}"
    path.write_bytes(finding.input)
    return path


def _place_of(error: BaseException) -> str:
    """The innermost line of the product, or the one of the oracle that objects."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    frame = (ours or frames)[-2 if isinstance(error, Broken) else -1]
    return f"{Path(frame.filename).name} {frame.lineno}"


def _peak_mib() -> float:
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
