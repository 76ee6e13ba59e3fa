"""Every message that was sent ends exactly once: handled, or a dead letter with its reason."""

from collections import Counter
from itertools import count
from typing import Any, Literal, TypeAlias

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hydra.actor import MILLISECOND, MINUTE, SECOND, Actor, Backoff, ChildSpec, Context, MailboxSpec
from hydra.runtime.sim_runtime import SimRuntime, SimulatedHang
from hydra.runtime.system import Resume, Suspend
from messages.lifecycle import RestartChild, StartChild, StopChild
from messages.message import Message
from supervisors.strategies import OnExceeded, Strategy
from tests.contracts.runtimes.driver import ROOT, SimDriver, child, supervision

Kind: TypeAlias = Literal["note", "crash", "aside", "aside and crash", "unstash", "relay", "hang"]

KINDS: tuple[Kind, ...] = ("note", "crash", "aside", "aside and crash", "unstash", "relay", "hang")
NAMES = ("plain", "narrow", "forgetful", "patient")


class Item(Message, frozen=True, kw_only=True):
    """One message to be accounted for."""

    number: int
    kind: Kind = "note"


class Books:
    """What was sent, and what was handled to the end."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.sent: list[int] = []
        self.handled: list[int] = []

    def item(self, kind: Kind = "note") -> Item:
        number = next(self.numbers)
        self.sent.append(number)
        return Item(number=number, kind=kind)


class Worker(Actor[Item]):
    """Does with each item what its kind says."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._set_aside: set[int] = set()

    def receive(self, message: Item, ctx: Context) -> None:
        match message.kind:
            case "crash":
                raise RuntimeError("as told")
            case "aside" | "aside and crash" if message.number not in self._set_aside:
                self._set_aside.add(message.number)
                ctx.stash()
                if message.kind == "aside and crash":
                    raise RuntimeError("as told")
                return
            case "unstash":
                ctx.unstash()
            case "relay":
                for name in NAMES:
                    ctx.tell(child(name), self._books.item())
            case "hang":
                raise SimulatedHang
            case _:
                pass
        self._books.handled.append(message.number)


def worker(name: str, books: Books) -> ChildSpec:
    mailbox, deliveries = MailboxSpec(stash_bound=3), 1
    match name:
        case "narrow":
            mailbox = MailboxSpec(bound=3, stash_bound=3)
        case "forgetful":
            mailbox = MailboxSpec(keep_on_restart=False, stash_bound=3)
        case "patient":
            deliveries = 3
        case _:
            pass
    return ChildSpec(
        name=name,
        actor=Worker,
        args={"books": books},
        mailbox=mailbox,
        max_deliveries=deliveries,
        backoff=Backoff(base=10 * MILLISECOND, cap=10 * MILLISECOND),
        hang_after=20 * MILLISECOND,
        stop_within=10 * MILLISECOND,
    )


targets = st.sampled_from(NAMES)
sends = st.tuples(st.sampled_from(KINDS), targets)
commands = st.tuples(
    st.sampled_from((Suspend, Resume, StopChild, StartChild, RestartChild)), targets
)
waits = st.tuples(st.just("advance"), st.sampled_from((0, MILLISECOND, 15 * MILLISECOND, SECOND)))
steps = st.lists(st.one_of(sends, sends, sends, commands, waits), max_size=40)


@settings(max_examples=250, deadline=None)
@example(  # the new cell at the address of a busy one was never put in line
    steps=[
        ("note", "plain"),
        ("note", "plain"),
        (StopChild, "plain"),
        ("note", "plain"),
        (StartChild, "plain"),
    ],
    schedule=999,
    strategy=Strategy.ONE_FOR_ONE,
)
@given(
    steps=steps,
    schedule=st.one_of(st.none(), st.integers(0, 1_000)),
    strategy=st.sampled_from(Strategy),
)
def test_no_message_is_lost_and_none_ends_twice(
    steps: list[tuple[Any, Any]], schedule: int | None, strategy: Strategy
) -> None:
    books, system = Books(), SimDriver(SimRuntime(explore=schedule))
    policy = supervision(strategy, restarts=5, on_exceeded=OnExceeded.QUARANTINE)
    system.start(*(worker(name, books) for name in NAMES), policy=policy)

    for what, target in steps:
        if what == "advance":
            system.runtime.advance(target)
        elif what in KINDS:
            system.tell(child(target), books.item(what))
        elif what in (Suspend, Resume):
            if not system.is_gone(child(target)):
                system.cell(child(target)).tell_system(what())
        else:
            system.ask(ROOT, what(name=target))
    system.close()
    system.runtime.advance(MINUTE)

    dead = [d.envelope.message.number for d in system.dead if isinstance(d.envelope.message, Item)]
    assert system.runtime.cells == {}
    assert Counter(books.handled + dead) == Counter(books.sent)
    assert set(Counter(books.sent).values()) <= {1}
