import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count, pairwise
from typing import Any, Literal

import msgspec
import pykka

from hydra.actor import (
    MILLISECOND,
    SECOND,
    Actor,
    Backoff,
    ChildSpec,
    Context,
    Dispatcher,
    MailboxSpec,
    Ref,
    Restart,
)
from hydra.ports import GateKey, GateRefused, PermitClass
from hydra.runtime.clock import machine_time
from hydra.runtime.gate import UNLIMITED_LEASE, Gate
from hydra.runtime.life import NoReply
from hydra.runtime.runtime import NobodyThere
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.lifecycle import RestartChild, StartChild, StopChild, Terminated
from messages.message import Message
from supervisors.strategies import OnExceeded, Strategy
from tests.contracts.runtimes.actors import Boom, Do, Note, Quote, boom, note, scripted
from tests.contracts.runtimes.driver import ROOT, ThreadDriver, child, supervision
from tests.stress.conftest import SWITCH_INTERVAL_S

Kind = Literal["note", "crash", "aside", "unstash", "relay", "hang"]

NAMES = ("pooled", "pinned", "narrow", "forgetful", "patient", "draining")
A = child("a")
BRIEF = Backoff(base=MILLISECOND, cap=MILLISECOND)


def together(*jobs: Callable[[], None]) -> None:
    """Run them all at once, each in a thread of its own; fails if one of them fails."""
    errors: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # raised again where it is seen
            errors.append(error)

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    assert not any(thread.is_alive() for thread in threads)
    assert errors == []


class Item(Message, frozen=True, kw_only=True):
    """One message to be accounted for."""

    number: int
    sender: int = 0
    kind: Kind = "note"


class Books:
    """What was sent, and what was handled to the end. Any thread writes."""

    def __init__(self, hang: Callable[[Context], None]) -> None:
        self.hang = hang
        self.numbers = count(1)
        self.sent: list[int] = []
        self.handled: list[int] = []

    def item(self, kind: Kind = "note", sender: int = 0) -> Item:
        number = next(self.numbers)
        self.sent.append(number)
        return Item(number=number, kind=kind, sender=sender)


class Worker(Actor[Item]):
    """Does with each item what its kind says."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._set_aside: set[int] = set()

    def receive(self, message: Item, ctx: Context) -> None:
        match message.kind:
            case "crash":
                raise RuntimeError("as told")
            case "hang":
                self._books.hang(ctx)
                return  # its thread comes back long after it was given up
            case "aside" if message.number not in self._set_aside:
                self._set_aside.add(message.number)
                ctx.stash()
                return
            case "unstash":
                ctx.unstash()
            case "relay":
                for name in NAMES:
                    ctx.tell(child(name), self._books.item())
            case _:
                pass
        self._books.handled.append(message.number)


def worker(name: str, books: Books) -> ChildSpec:
    options: dict[str, dict[str, Any]] = {
        "pinned": {"dispatcher": Dispatcher.PINNED},
        "narrow": {"mailbox": MailboxSpec(bound=3)},
        "forgetful": {"mailbox": MailboxSpec(keep_on_restart=False)},
        "patient": {"max_deliveries": 3},
        "draining": {"drain_on_stop": True},
    }
    return ChildSpec(
        name=name,
        actor=Worker,
        args={"books": books},
        backoff=BRIEF,
        hang_after=300 * MILLISECOND,
        **options.get(name, {}),
    )


def test_no_message_is_lost_and_none_ends_twice(system: ThreadDriver, attempt: int) -> None:
    books = Books(system.hang)
    strategy = random.Random(attempt).choice(list(Strategy))
    policy = supervision(strategy, on_exceeded=OnExceeded.QUARANTINE)
    system.start(*(worker(name, books) for name in NAMES), policy=policy)
    notes: tuple[Kind, ...] = ("note",) * 16
    kinds: tuple[Kind, ...] = ("crash", "aside", "unstash", "relay", *notes)

    def send(sender: int) -> None:
        dice = random.Random(f"{attempt}|{sender}")
        outside = system.runtime.outside(f"sender{sender}")
        for _ in range(1_000):
            outside.tell(child(dice.choice(NAMES)), books.item(dice.choice(kinds), sender))

    def command() -> None:
        dice = random.Random(f"{attempt}|commands")
        for _ in range(100):
            what = dice.choice((StopChild, StartChild, StartChild, RestartChild))
            system.ask(ROOT, what(name=dice.choice(NAMES)))

    together(*(partial(send, n) for n in range(3)), command)
    system.tell(child("pinned"), books.item("hang"), books.item())
    system.tell(child("pooled"), books.item("hang"), books.item())
    assert system.runtime.stop_tree("enough", within=10.0)

    def accounted() -> list[int]:
        dead = [dead.envelope.message for dead in list(system.dead)]
        return books.handled + [item.number for item in dead if isinstance(item, Item)]

    system.until(lambda: len(accounted()) >= len(books.sent))
    assert Counter(accounted()) == Counter(books.sent)
    assert system.runtime.failed_closed is None


def test_each_senders_messages_stay_in_order_over_crashes(
    system: ThreadDriver, attempt: int
) -> None:
    handled: list[Item] = []

    class Keeper(Actor[Item]):
        def receive(self, message: Item, ctx: Context) -> None:
            if message.kind == "crash":
                raise RuntimeError("as told")
            handled.append(message)

    system.start(ChildSpec(name="a", actor=Keeper, backoff=BRIEF))

    def send(sender: int) -> None:
        outside = system.runtime.outside(f"sender{sender}")
        for number in range(300):
            kind: Kind = "crash" if number % 100 == 50 + sender else "note"
            outside.tell(A, Item(number=number, sender=sender, kind=kind))

    together(*(partial(send, n) for n in range(4)))

    system.until(lambda: len(handled) == 4 * 297)
    for sender in range(4):
        numbers = [item.number for item in handled if item.sender == sender]
        assert all(before < after for before, after in pairwise(numbers))


def test_every_question_ends_whatever_becomes_of_the_asked(
    system: ThreadDriver, attempt: int
) -> None:
    system.start(scripted("a", []))
    outcomes: list[str] = []  # `append` is atomic; adding to a counter is not
    answer = Do(action=lambda ctx: ctx.reply(note("yes")))
    silence = Do(action=lambda ctx: None)

    def ask(asker: int) -> None:
        dice = random.Random(f"{attempt}|{asker}")
        for _ in range(100):
            question = dice.choice((answer, answer, silence, boom()))
            try:
                outcomes.append(system.ask(A, question, within=20.0).text)
            except (Boom, NobodyThere, NoReply) as error:
                outcomes.append(type(error).__name__)

    def command() -> None:
        for _ in range(20):
            system.ask(ROOT, RestartChild(name="a"))
            system.ask(ROOT, StopChild(name="a"))
            system.ask(ROOT, StartChild(name="a"))

    together(*(partial(ask, n) for n in range(3)), command)

    assert set(outcomes) <= {"yes", "Boom", "NoReply", "NobodyThere"}
    assert len(outcomes) == 300


def test_zombies_take_nothing_and_reach_nobody(system: ThreadDriver, attempt: int) -> None:
    handled: list[tuple[int, int]] = []
    came_back = threading.Semaphore(0)
    told: list[str] = []

    class Sleepy(Actor[Item]):
        def receive(self, message: Item, ctx: Context) -> None:
            if message.kind == "hang":
                system.hang(ctx)
                ctx.tell(child("b"), note("from the dead"))
                came_back.release()
            else:
                handled.append((ctx.incarnation, message.number))

    sleepy = [
        ChildSpec(
            name=f"sleepy{n}",
            actor=Sleepy,
            dispatcher=dispatcher,
            backoff=BRIEF,
            hang_after=150 * MILLISECOND,
        )
        for n, dispatcher in enumerate((Dispatcher.POOLED, Dispatcher.POOLED, Dispatcher.PINNED))
    ]
    system.start(*sleepy, scripted("b", told))

    for n in range(3):
        items = (Item(number=1_000 * n + i, kind="hang" if i == 50 else "note") for i in range(200))
        system.tell(child(f"sleepy{n}"), *items)
    system.until(lambda: all(system.cell(child(f"sleepy{n}")).incarnation == 2 for n in range(3)))
    system._released.set()

    system.until(lambda: len(handled) == 3 * 199)
    assert all(came_back.acquire(timeout=10.0) for _ in range(3))
    system.until(lambda: len(system.dead) == 6)
    assert system.dead_reasons() == {"poison": 3, "fenced": 3}
    assert told == ["start b#1"]
    assert {incarnation for incarnation, number in handled if number % 1_000 < 50} == {1}
    assert {incarnation for incarnation, number in handled if number % 1_000 > 50} == {2}
    assert len(set(handled)) == 3 * 199


CAUSE = Cause(
    code="kill-switch",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=0,
    detail="a test",
)


def test_after_a_halt_nothing_goes_out(attempt: int) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        for _ in range(20):
            halt_while_others_send()
    finally:
        sys.setswitchinterval(before)


def halt_while_others_send() -> None:
    gate, key = Gate(machine_time), GateKey("/gateway", 1)
    gate.register(key)
    gate.renew_lease(UNLIMITED_LEASE)
    gate.arm((), "a test", gate.epoch)
    wire: list[bool] = []  # of each send, whether the halt was acknowledged already
    entered_after_trip: list[int] = []
    tripped, acknowledged, enough = threading.Event(), threading.Event(), threading.Event()

    def send() -> None:
        while not enough.is_set():
            late = tripped.is_set()
            try:
                permit = gate.enter("order", gate.epoch, key, PermitClass.ENTRY)
            except GateRefused:
                continue
            if late:
                entered_after_trip.append(1)
            for _ in range(50):  # the time a send takes
                pass
            wire.append(acknowledged.is_set())
            gate.leave(permit)

    def halt() -> None:
        while gate.passed < 20:
            pass
        gate.trip(CAUSE)
        tripped.set()
        gate.when_drained(lambda _epoch: acknowledged.set())
        assert acknowledged.wait(10.0)
        refused = gate.refused
        while gate.refused < refused + 20:
            pass
        enough.set()

    together(send, send, send, halt)

    assert entered_after_trip == []
    assert not any(wire)
    assert gate.in_flight() == ()


def test_what_comes_while_a_mailbox_closes_is_accounted_for_once(
    system: ThreadDriver, attempt: int
) -> None:
    books = Books(system.hang)
    spec = ChildSpec(name="a", actor=Worker, args={"books": books}, restart=Restart.TEMPORARY)
    system.start(spec)
    stopping = threading.Event()

    def send(sender: int) -> None:
        outside = system.runtime.outside(f"sender{sender}")
        while not stopping.is_set():
            for _ in range(20):
                outside.tell(A, books.item())

    def stop_and_start() -> None:
        for _ in range(30):
            system.ask(ROOT, StopChild(name="a"))
            system.ask(ROOT, StartChild(name="a"))
        stopping.set()

    together(*(partial(send, n) for n in range(2)), stop_and_start)
    assert system.runtime.stop_tree("enough", within=10.0)

    def accounted() -> list[int]:
        dead = [dead.envelope.message for dead in list(system.dead)]
        return books.handled + [item.number for item in dead if isinstance(item, Item)]

    system.until(lambda: len(accounted()) >= len(books.sent))
    assert Counter(accounted()) == Counter(books.sent)


def test_only_the_current_timer_of_a_key_is_ever_seen(system: ThreadDriver, attempt: int) -> None:
    last = 400
    dice = random.Random(attempt)
    seen: list[tuple[int, int]] = []

    class Fickle(Actor[Item]):
        """Sets the timer of one key anew all the time."""

        def __init__(self) -> None:
            self._current = 0

        def receive(self, message: Item, ctx: Context) -> None:
            if message.sender == 1:
                seen.append((message.number, self._current))
                self._current = 0
                return
            self._current = message.number
            tick = Item(number=message.number, sender=1)
            ctx.after(dice.choice((0, 0, 100_000, MILLISECOND)), tick, key="k")
            if message.number != last and dice.random() < 0.2:
                ctx.cancel("k")
                self._current = 0

    system.start(*(ChildSpec(name=f"f{n}", actor=Fickle) for n in range(4)))

    for number in range(1, last + 1):
        for n in range(4):
            system.tell(child(f"f{n}"), Item(number=number))
    system.until(lambda: sum(number == last for number, _ in seen) == 4)
    system.pass_time(5 * MILLISECOND)

    assert [pair for pair in seen if pair[0] != pair[1]] == []
    assert system.runtime.failed_closed is None


def test_periodic_timers_go_on_beside_restarts(system: ThreadDriver, attempt: int) -> None:
    ticks: Counter[tuple[str, int]] = Counter()

    class Ticking(Actor[Message]):
        def start(self, ctx: Context) -> None:
            ctx.every(MILLISECOND, note("tick"), key="tick")

        def receive(self, message: Message, ctx: Context) -> None:
            if not isinstance(message, Note):
                raise RuntimeError("as told")
            ticks[ctx.me.name, ctx.incarnation] += 1

    system.start(*(ChildSpec(name=f"t{n}", actor=Ticking, backoff=BRIEF) for n in range(4)))

    def has_ticked(life: tuple[str, int]) -> bool:
        return ticks[life] >= 3

    for incarnation in range(1, 4):
        for n in range(4):
            life = (f"t{n}", incarnation)
            system.until(partial(has_ticked, life))
            system.tell(child(life[0]), boom())

    system.until(lambda: all(ticks[f"t{n}", 4] >= 3 for n in range(4)))


def test_a_watcher_hears_of_an_end_once_however_close_they_are(
    system: ThreadDriver, attempt: int
) -> None:
    heard: list[str] = []

    class Watcher(Actor[Message]):
        def receive(self, message: Message, ctx: Context) -> None:
            match message:
                case Do():
                    message.action(ctx)
                case Terminated():
                    heard.append(message.path)
                case _:
                    pass

    lives = [scripted(f"life{n}", [], restart=Restart.TEMPORARY) for n in range(40)]
    system.start(ChildSpec(name="watcher", actor=Watcher), *lives)
    paths = [f"/root/{life.name}" for life in lives]
    end = Do(action=lambda ctx: ctx.stop(ctx.me))

    def watch(ref: Ref[Any]) -> Do:
        return Do(action=lambda ctx: ctx.watch(ref))

    def end_all() -> None:
        for path in paths:
            system.tell(Ref(path), end)

    together(
        lambda: system.tell(child("watcher"), *(watch(Ref(path)) for path in paths)),
        end_all,
    )

    system.until(lambda: len(heard) >= 40)
    system.until(lambda: all(path not in system.runtime.cells for path in paths))
    assert sorted(heard) == sorted(paths)


def test_a_conflating_mailbox_ends_with_the_newest_of_each_key(
    system: ThreadDriver, attempt: int
) -> None:
    seen: dict[str, list[int]] = {symbol: [] for symbol in "abcd"}

    class Quotes(Actor[Quote]):
        def receive(self, message: Quote, ctx: Context) -> None:
            seen[message.symbol].append(message.price)

    mailbox = MailboxSpec(bound=8, conflate=lambda message: getattr(message, "symbol", None))
    system.start(ChildSpec(name="a", actor=Quotes, mailbox=mailbox))

    def send(symbol: str) -> None:
        outside = system.runtime.outside(symbol)
        for price in range(1_000):
            outside.tell(A, Quote(symbol=symbol, price=price))

    together(*(partial(send, s) for s in seen))

    system.until(lambda: all(prices[-1:] == [999] for prices in seen.values()))
    assert all(before < after for prices in seen.values() for before, after in pairwise(prices))
    assert sum(map(len, seen.values())) + system.cell(A).mailbox.conflated == 4_000
    assert system.dead == []


def test_whoever_fails_closed_first_is_heard_once(system: ThreadDriver, attempt: int) -> None:
    heard: list[str] = []
    system.runtime.on_fail_closed(heard.append)
    system.start(scripted("a", []))

    together(*(partial(system.runtime.fail_closed, f"reason {n}") for n in range(6)))

    assert heard == [system.runtime.failed_closed]


def test_a_runtime_that_is_closed_leaves_no_thread_behind(attempt: int) -> None:
    def own_threads() -> Iterable[str]:
        return [t.name for t in threading.enumerate() if t.name.startswith("hydra-")]

    system = ThreadDriver(ThreadRuntime(switch_interval_s=SWITCH_INTERVAL_S))
    spec = scripted("a", [], dispatcher=Dispatcher.PINNED)
    system.start(spec, msgspec.structs.replace(spec, name="b"), scripted("c", []))
    system.tell(A, Do(action=system.hang), note("on"))

    system.close()

    between_looks, deadline = threading.Event(), machine_time() + 10 * SECOND
    while own_threads() and machine_time() < deadline:
        between_looks.wait(0.001)
    assert own_threads() == []
    assert pykka.ActorRegistry.get_all() == []
