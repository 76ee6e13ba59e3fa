"""The order gate by itself: what a passage costs, and that a halt is one, raced many times over."""

import random
import threading
from itertools import count
from time import perf_counter_ns, sleep

import msgspec

from hydra.ops.bench.rows import Bar, CouldNotMeasure, Effort, Figure, Measured, Measurement
from hydra.ops.bench.sampling import ANSWER_WITHIN_S, collector_at_rest, medians
from hydra.ports import GateKey, GateRefused, PermitClass
from hydra.runtime.clock import machine_time
from hydra.runtime.gate import UNLIMITED_LEASE, Gate
from hydra.trading.trading_state import Cause, CauseClass, TradingState

PASSAGES = 100_000
TRIALS = 10_000
SUBMITTERS = 4
WAY_TO_THE_WIRE_S = 20e-6
KEY = GateKey("/bench/gateway", 1)
HALT = Cause(
    code="bench",
    cause_class=CauseClass.START,
    state=TradingState.HALTED,
    since=0,
    detail="a halt of the benchmark",
)

GATE_PASSAGE = Figure(
    name="gate_passage",
    unit="ns",
    what="enter and leave of an open order gate, by one thread that nobody disturbs",
    bound="acquire and release of a lock",
)
SUBMITS_AFTER = Figure(
    name="halt_submits_after_return",
    unit="orders",
    what="submits that began after trip() had returned and were let through, over all trials, "
    "with four threads submitting without pause (each trial has let some through before); "
    "numbered by one counter that all share",
    bound="trials",
    bar=Bar(at_most=0),
)
WRITES_AFTER = Figure(
    name="halt_writes_after_acknowledgement",
    unit="orders",
    what="wire writes (within a permit) that were made after the same halts were acknowledged",
    bound="trials",
    bar=Bar(at_most=0),
)


def open_gate() -> Gate:
    """A gate that lets `KEY` through."""
    gate = Gate(machine_time)
    gate.register(KEY)
    gate.renew_lease(UNLIMITED_LEASE)
    gate.arm((), "a benchmark, which sends nothing", gate.epoch)
    return gate


def take_passage(effort: Effort) -> tuple[Measured, ...]:
    """Nanoseconds each."""
    passages = effort.count(PASSAGES)
    gate, lock = open_gate(), threading.Lock()
    enter, leave, epoch = gate.enter, gate.leave, gate.epoch
    acquire, release = lock.acquire, lock.release

    def through_the_gate() -> float:
        began = perf_counter_ns()
        for _ in range(passages):
            leave(enter("bench", epoch, KEY, PermitClass.ENTRY))
        return (perf_counter_ns() - began) / passages

    def through_the_lock() -> float:
        began = perf_counter_ns()
        for _ in range(passages):
            acquire()
            release()
        return (perf_counter_ns() - began) / passages

    with collector_at_rest():
        return (medians(effort.rounds, through_the_gate, through_the_lock),)


class Passage(msgspec.Struct, frozen=True):
    """One order that was let through: its permit's epoch, and when it asked and wrote."""

    epoch: int
    asked: int
    wrote: int


class Halted(msgspec.Struct, frozen=True):
    """One halt: when `trip` had returned, and when it was acknowledged."""

    returned: int
    acknowledged: int


class Race:
    """Threads that submit without pause, and somebody who halts them again and again.

    Everything that matters takes a number from one counter, whose `next` is atomic: so "after" is
    a matter of numbers and not of clocks. The gate is open at first.
    """

    def __init__(self, gate: Gate, submitters: int) -> None:
        gate.trip(HALT)
        self._gate = gate
        self._numbers = count(1)
        self._stopping = threading.Event()
        self._passages: list[list[Passage]] = [[] for _ in range(submitters)]
        self._halts = {gate.epoch: Halted(0, 0)}
        self._threads = [
            threading.Thread(target=self._submit, args=(passages,), daemon=True)
            for passages in self._passages
        ]

    def run(self, trials: int) -> None:
        """Halt so many times. Raises `CouldNotMeasure` if nothing was going on at a halt."""
        moments = random.Random(trials)
        for thread in self._threads:
            thread.start()
        try:
            for _ in range(trials):
                self._halt_once(moments.random() * 2 * WAY_TO_THE_WIRE_S)
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join(ANSWER_WITHIN_S)

    def verdict(self) -> tuple[int, int]:
        """Submits that began after their halt had returned; writes after it was acknowledged."""
        passages = [passage for own in self._passages for passage in own]
        return (
            sum(p.asked > self._halts[p.epoch].returned for p in passages),
            sum(p.wrote > self._halts[p.epoch].acknowledged for p in passages),
        )

    def _submit(self, passages: list[Passage]) -> None:
        gate, numbers = self._gate, self._numbers
        while not self._stopping.is_set():
            epoch = gate.epoch
            asked = next(numbers)
            try:
                permit = gate.enter("bench", epoch, KEY, PermitClass.ENTRY)
            except GateRefused:
                sleep(0)
                continue
            sleep(WAY_TO_THE_WIRE_S)
            wrote = next(numbers)
            gate.leave(permit)
            passages.append(Passage(permit.epoch, asked, wrote))

    def _halt_once(self, moment_s: float) -> None:
        gate, numbers = self._gate, self._numbers
        passed = gate.passed
        epoch = gate.arm((), "a benchmark, which sends nothing", gate.epoch)
        give_up_at = perf_counter_ns() + int(ANSWER_WITHIN_S * 1e9)
        while gate.passed == passed:
            if perf_counter_ns() > give_up_at:
                raise CouldNotMeasure("no order passed an open gate")
            sleep(0)
        sleep(moment_s)
        drained = threading.Event()
        acknowledged: list[int] = []

        def acknowledge(_epoch: int) -> None:
            acknowledged.append(next(numbers))
            drained.set()

        gate.trip(HALT)
        returned = next(numbers)
        gate.when_drained(acknowledge)
        if not drained.wait(ANSWER_WITHIN_S):
            raise CouldNotMeasure("a halt was never acknowledged")
        self._halts[epoch] = self._halts[gate.epoch] = Halted(returned, acknowledged[0])


def take_race(effort: Effort) -> tuple[Measured, ...]:
    """Counts, held against the number of trials."""
    trials = effort.count(TRIALS)
    race = Race(open_gate(), SUBMITTERS)
    race.run(trials)
    submits, writes = race.verdict()
    return Measured(submits, trials), Measured(writes, trials)


PASSAGE = Measurement(name="gate", figures=(GATE_PASSAGE,), take=take_passage)
HALT_RACE = Measurement(name="halt_race", figures=(SUBMITS_AFTER, WRITES_AFTER), take=take_race)
