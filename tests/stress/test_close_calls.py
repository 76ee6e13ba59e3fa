"""Two things at the very same moment: a handler returns and is judged hung, say."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import Any, TypeAlias

import pykka

from hydra.actor import MILLISECOND, MINUTE, Actor, ChildSpec, Context
from hydra.ports import GateKey, GateRefused, PermitClass
from hydra.runtime.dispatcher import fence
from hydra.runtime.envelope import DeadLetterReason, Envelope, Special
from hydra.runtime.gate import UNLIMITED_LEASE, Gate
from hydra.runtime.runtime import NobodyThere
from hydra.runtime.thread_runtime import ThreadCell
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.lifecycle import Replied, StartChild, StopChild
from messages.message import Message
from tests.contracts.runtimes.actors import QUICK, Boom
from tests.contracts.runtimes.driver import ThreadDriver, child

Work: TypeAlias = Callable[[], None]

PATIENCE_S = 20.0
UNHURRIED = MINUTE
"""Among so many threads one may wait for the interpreter for seconds: where hangs are not the
matter, a handler that has answered must not be judged hung before it returns."""
TELLERS = 4
STEPS = 10
WORKER, WITNESS, ASKER = child("worker"), child("witness"), child("asker")


@contextmanager
def together(*works: Work) -> Iterator[list[Future[None]]]:
    """Each in a thread of its own, all begun at once; what one of them raises is raised here."""
    begin = threading.Barrier(len(works) + 1)

    def run(work: Work) -> None:
        begin.wait(PATIENCE_S)
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(run, work) for work in works]
        begin.wait(PATIENCE_S)
        yield running
        for thread in running:
            thread.result(PATIENCE_S)


class Job(Message, frozen=True, kw_only=True):
    """The `number`-th thing that `teller` said."""

    teller: str
    number: int
    crash: bool = False


class Done(Message, frozen=True, kw_only=True):
    """What a job has led to; `stamp` is from just before it was told."""

    job: Job
    stamp: int = 0


def dead_jobs(system: ThreadDriver) -> list[Job]:
    return [
        dead.envelope.message
        for dead in list(system.dead)
        if isinstance(dead.envelope.message, Job)
    ]


class Forwarder(Actor[Job]):
    """Tells the witness of each job, in several steps."""

    def __init__(self, begun: list[Job], stamps: Iterator[int]) -> None:
        self._begun = begun
        self._stamps = stamps

    def receive(self, message: Job, ctx: Context) -> None:
        self._begun.append(message)
        for _ in range(STEPS):
            ctx.tell(WITNESS, Done(job=message, stamp=next(self._stamps)))


class Witness(Actor[Done]):
    """Keeps what it is told."""

    def __init__(self, heard: list[Done]) -> None:
        self._heard = heard

    def receive(self, message: Done, ctx: Context) -> None:
        self._heard.append(message)


def test_a_handler_judged_hung_as_it_returns_was_in_time_or_reaches_nobody_any_more(
    system: ThreadDriver, attempt: int
) -> None:
    dice = random.Random(attempt)
    told: list[Job] = []
    begun: list[Job] = []
    heard: list[Done] = []
    fenced: list[tuple[int, Job]] = []
    stamps = count(1)
    enough = threading.Event()

    def teller(name: str) -> None:
        for number in count():
            if enough.is_set():
                return
            if len(told) - len(begun) < 50:
                job = Job(teller=name, number=number)
                told.append(job)
                system.tell(WORKER, job)

    args = {"begun": begun, "stamps": stamps}
    system.start(
        ChildSpec(name="worker", actor=Forwarder, args=args, backoff=QUICK),
        ChildSpec(name="witness", actor=Witness, args={"heard": heard}),
    )
    cell = system.cell(WORKER)
    assert isinstance(cell, ThreadCell)
    with together(partial(teller, "a"), partial(teller, "b")):
        try:
            while len(fenced) < 10:
                since, context = cell.turn.busy_since(), cell.context
                if since is None or context.moment != since:
                    continue  # nothing runs, or what runs is not the actor's
                job = context.envelope.message
                for _ in range(dice.randrange(2 * STEPS)):
                    next(stamps)  # it may return meanwhile
                if fence(cell, since):
                    fenced.append((next(stamps), job))
        finally:
            enough.set()
    system.until(lambda: cell.processed + len(fenced) == len(told) == len(begun))
    # The threads that were given up are through with their jobs too when all of this is there.
    effects = len(told) * STEPS
    system.until(
        lambda: len(heard) + sum(is_done(dead.envelope) for dead in system.dead) == effects
    )

    assert Counter(begun) == Counter(told)
    assert Counter(system.dead_for(DeadLetterReason.POISON)) == Counter(job for _, job in fenced)
    unheard = [dead.envelope.message for dead in system.dead if is_done(dead.envelope)]
    assert Counter(done.job for done in [*heard, *unheard]) == Counter(told * STEPS)
    too_late = {job: stamp for stamp, job in fenced}
    assert [done for done in heard if done.stamp > too_late.get(done.job, done.stamp)] == []


def is_done(envelope: Envelope) -> bool:
    return isinstance(envelope.message, Done)


class Answering(Actor[Job]):
    """Keeps each job and answers it, or fails where the job says so."""

    def __init__(self, handled: list[Job]) -> None:
        self._handled = handled

    def receive(self, message: Job, ctx: Context) -> None:
        if message.crash:
            raise Boom(f"{message.teller} {message.number}")
        self._handled.append(message)
        ctx.reply(Done(job=message))


def answering(handled: list[Job]) -> ChildSpec:
    """The worker that answers, and is never judged hung."""
    args = {"handled": handled}
    return ChildSpec(
        name="worker",
        actor=Answering,
        args=args,
        backoff=QUICK,
        hang_after=UNHURRIED,
        stop_within=UNHURRIED,
    )


def test_a_question_put_into_a_closing_mailbox_is_answered_once_or_dead(
    system: ThreadDriver, attempt: int
) -> None:
    """By threads that have the cell in their hands already, so that its path is no obstacle."""
    handled: list[Job] = []
    told: list[Job] = []
    answers: list[pykka.Future[Any]] = []

    def put(cell: ThreadCell, name: str) -> None:
        after = 0
        for number in count():
            after += cell.mailbox.closed
            if after > 2:
                return
            job = Job(teller=name, number=number)
            answer: pykka.Future[Any] = pykka.ThreadingFuture()
            told.append(job)
            answers.append(answer)
            cell.put(Envelope(job, (name, 0, number), None, None, 0, Special(reply_to=answer)))

    system.start(answering(handled))
    for turn in range(10):
        system.until(lambda: not system.is_gone(WORKER))
        cell, before = system.cell(WORKER), len(handled)
        assert isinstance(cell, ThreadCell)
        with together(*(partial(put, cell, f"teller {turn} {n}") for n in range(TELLERS))):
            while len(handled) == before:
                pass
            system.obeyed(StopChild(name="worker"))
        system.until(lambda: system.is_gone(WORKER))
        system.obeyed(StartChild(name="worker"))
    answered: list[Job] = []
    for answer in answers:
        with suppress(NobodyThere):
            answered.append(answer.get(timeout=PATIENCE_S).job)

    assert Counter(answered) == Counter(handled)
    assert Counter(handled + dead_jobs(system)) == Counter(told)


class Go(Message, frozen=True, kw_only=True):
    """Ask the worker this."""

    job: Job
    within: int


class Asker(Actor[Go | Replied]):
    """Asks what it is told to ask, and keeps how each question ended."""

    def __init__(self, ended: list[str]) -> None:
        self._ended = ended

    def receive(self, message: Go | Replied, ctx: Context) -> None:
        match message:
            case Go():
                tag = str(message.job.number)
                ctx.ask(WORKER, message.job, within=message.within, tag=tag)
            case Replied():
                self._ended.append(message.tag)


def test_of_answer_error_time_out_and_stop_an_asking_actor_hears_exactly_one(
    system: ThreadDriver, attempt: int
) -> None:
    dice = random.Random(attempt)
    ended: list[str] = []
    asks = 1_000
    asker = ChildSpec(name="asker", actor=Asker, args={"ended": ended}, hang_after=UNHURRIED)
    system.start(answering([]), asker)

    for number in range(asks):
        job = Job(teller="asker", number=number, crash=number % 50 == 49)
        system.tell(ASKER, Go(job=job, within=dice.randrange(2 * MILLISECOND)))
        if number % 100 == 60:
            system.obeyed(StopChild(name="worker"))
        if number % 100 == 80:
            system.obeyed(StartChild(name="worker"))
    system.until(
        lambda: len(ended) >= asks,
        lambda: f"all questions ended; {len(ended)} did, {system.cells_shown()}",
    )
    system.pass_time(3 * MILLISECOND)  # by now every time-out is in the mailbox, or was void
    system.until(lambda: system.waiting(ASKER) == 0)

    assert Counter(ended) == Counter(str(number) for number in range(asks))


def test_two_halts_at_once_each_hold_from_the_moment_they_return(
    system: ThreadDriver, attempt: int
) -> None:
    """One closes entries, the other everything; and what is drained has left the wire."""
    dice = random.Random(attempt)
    gate, key = Gate(lambda: 0), GateKey("/gateway", 1)
    gate.register(key)
    gate.renew_lease(UNLIMITED_LEASE)
    stamps = count(1)
    entered: list[tuple[int, PermitClass]] = []
    on_the_wire: list[int] = []
    shut: list[tuple[int, int, PermitClass]] = []
    quiet: list[tuple[int, int]] = []
    enough = threading.Event()

    def submit(permit_class: PermitClass) -> None:
        while not enough.is_set():
            # The epoch first: an approval of before the halt must not pass after the next arming.
            epoch, stamp = gate.epoch, next(stamps)
            try:
                permit = gate.enter("order", epoch, key, permit_class)
            except GateRefused:
                continue
            entered.append((stamp, permit_class))
            on_the_wire.extend(next(stamps) for _ in range(STEPS))
            gate.leave(permit)

    def trip(code: str, state: TradingState, returned: dict[str, int]) -> None:
        gate.trip(
            Cause(code=code, cause_class=CauseClass.LIMIT, state=state, since=0, detail="a race")
        )
        returned[code] = next(stamps)

    def halt_twice() -> None:
        gate.arm((), "a test", gate.epoch)
        passes = len(entered) + dice.randrange(1, 60)
        while len(entered) < passes:
            pass
        returned: dict[str, int] = {}
        drained = threading.Event()
        softly = partial(trip, "soft", TradingState.CLOSE_ONLY, returned)
        hard = partial(trip, "hard", TradingState.HALTED, returned)
        with together(*dice.sample((softly, hard), 2)):
            pass
        gate.when_drained(lambda _epoch: drained.set())
        assert drained.wait(PATIENCE_S)
        quiet_from = next(stamps)
        tries = gate.refused + dice.randrange(1, 60)
        while gate.refused < tries:
            pass
        until = next(stamps)
        quiet.append((quiet_from, until))
        shut.append((min(returned.values()), until, PermitClass.ENTRY))
        shut.append((returned["hard"], until, PermitClass.REDUCE))

    classes = (PermitClass.ENTRY, PermitClass.REDUCE) * 2
    with together(*(partial(submit, permit_class) for permit_class in classes)):
        try:
            for _ in range(10):
                halt_twice()
        finally:
            enough.set()

    assert {permit_class for _, permit_class in entered} == set(classes)
    assert [
        (stamp, permit_class)
        for stamp, permit_class in entered
        for since, until, closed in shut
        if permit_class is closed and since < stamp < until
    ] == []
    assert [at for at in on_the_wire for since, until in quiet if since < at < until] == []
    assert gate.in_flight() == ()
