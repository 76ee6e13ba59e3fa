"""What an actor class sees: `Actor`, `Context`, `Ref`, `ChildSpec`. Nothing of any runtime.

An actor is state and one method that takes one message at a time. Everything comes in as a message
and goes out through the context, so the same class runs on threads and in virtual time.
"""

from __future__ import annotations  # the classes here name one another in both directions

import random
import reprlib
from collections.abc import Callable, Hashable, Mapping
from enum import Enum
from typing import Any, ClassVar, Generic, Never, Protocol, TypeVar

import msgspec

# Named again, because whoever writes an actor has no other use for what lies below it.
from hydra.trading.durations import MILLISECOND as MILLISECOND
from hydra.trading.durations import MINUTE as MINUTE
from hydra.trading.durations import SECOND as SECOND
from messages.message import Message

Told = TypeVar("Told", bound=Message, contravariant=True)
Received = TypeVar("Received", bound=Message)


class Ref(msgspec.Struct, Generic[Told], frozen=True):
    """An actor's address, typed by what it accepts. It stays valid over restarts.

    A plain value: it can be compared, put in a message, written down. Telling an address where
    nobody lives makes a dead letter, never an error in the sender.
    """

    path: str

    @property
    def name(self) -> str:
        """The last part of the path: what the parent calls it."""
        return self.path.rpartition("/")[2]


class Context(Protocol):
    """Everything an actor may do besides thinking. Valid only inside its handlers."""

    @property
    def me(self) -> Ref[Any]:
        """This actor's own address."""

    @property
    def parent(self) -> Ref[Any] | None:
        """The supervisor's address; None at the root."""

    @property
    def sender(self) -> Ref[Any] | None:
        """Who sent the message being handled; None if it came from outside the actors."""

    @property
    def incarnation(self) -> int:
        """1 at first, one more after each restart."""

    @property
    def rng(self) -> random.Random:
        """Seeded from the run's seed, the path and the incarnation: the same in every replay."""

    def now(self) -> int:
        """Machine time: monotonic nanoseconds, frozen for this message. For deadlines."""

    def market_time(self) -> int:
        """The venue's time: UTC nanoseconds, frozen for this message. For decisions."""

    def new_id(self) -> str:
        """A name never used before in this run, made from path, incarnation and a counter."""

    def tell(self, ref: Ref[Received], message: Received, *, corr: str | None = None) -> None:
        """Send and go on. `corr` names the order or decision; by default it is inherited."""

    def reply(self, message: Message) -> None:
        """Answer the message being handled: an outside asker's future, or its sender."""

    def ask(self, ref: Ref[Received], message: Received, *, within: int, tag: str) -> None:
        """Send, and get `Replied(tag=…)` as a message: the answer, an error, or a time-out.

        A further question of the same tag takes the place of one that is still open: only its own
        outcome is told.
        """

    def publish(self, topic: str, message: Message, *, corr: str | None = None) -> None:
        """Tell everyone who subscribed to `topic`, in their order; `corr` as in `tell`."""

    def subscribe(self, topic: str) -> None:
        """Be told what is published on `topic`. Survives restarts; again is harmless."""

    def unsubscribe(self, topic: str) -> None:
        """No longer be told what is published on `topic`."""

    def after(self, delay: int, message: Message, *, key: str = "") -> None:
        """Tell me `message` in `delay` ns. A new timer of the same key replaces the old one.

        The default key is the message's type. No message of a cancelled or replaced timer, or of
        an earlier incarnation's, is ever seen, even if it was already in the mailbox.
        """

    def every(self, period: int, message: Message, *, key: str = "", coalesce: bool = True) -> None:
        """Tell me `message` every `period` ns, without bursts after a stall.

        `coalesce`: in canonical virtual time it fires at most once before the next event.
        """

    def cancel(self, key: str) -> None:
        """Forget the timer of that key. No such timer: nothing happens."""

    def set_receive_timeout(self, delay: int | None) -> None:
        """Tell me `ReceiveTimeout` when nothing else has come for `delay` ns. None: never."""

    def stash(self) -> None:
        """Set the message being handled aside. Raises `StashFull` beyond the bound."""

    def unstash(self) -> None:
        """Put everything set aside back at the head of the mailbox, oldest first."""

    def watch(self, ref: Ref[Any]) -> None:
        """Be told `Terminated` once when it is gone for good, also if it already is."""

    def unwatch(self, ref: Ref[Any]) -> None:
        """No longer be told."""

    def spawn(self, spec: ChildSpec) -> Ref[Any]:
        """Start a child, or a new incarnation of one that failed or was stopped with `keep`.

        The outcome comes as `ChildStarted` or `ChildFailed`. A child of an actor that does not
        supervise is linked: its failure is its parent's.
        """

    def stop(self, ref: Ref[Any], *, keep: bool = False, reason: str = "stopped") -> None:
        """Stop a child, or myself, after its children. `keep`: address and mailbox stay.

        `ChildStopped` follows within the child's `stop_within`, or the child is fenced and left.
        """

    def label(self, ref: Ref[Any], text: str) -> None:
        """What the debugger shows as a child's status (backoff, quarantined) until it starts."""

    def defer_start(self) -> None:
        """Called in `start`: I have not started until I call `started`."""

    def started(self) -> None:
        """The start that was deferred is complete."""

    def log(self, event: str, **fields: object) -> None:
        """Write a line to the journal."""


class Actor(Generic[Received]):
    """State plus handlers. A restart runs `__init__` again: what it sets is what a crash leaves."""

    supervises: ClassVar[bool] = False
    """Whether its children's reports are its messages, rather than its own failure."""

    def start(self, ctx: Context) -> None:
        """Before the first message. Raising here is a failed start and counts as a restart."""

    def receive(self, message: Received, ctx: Context) -> None:
        """Handle one message. Raising makes this incarnation fail; it handles nothing more."""
        raise NotImplementedError

    def stop(self, ctx: Context, reason: str) -> None:
        """After the last message of an orderly stop, when all children have stopped."""

    def failed(self, error: BaseException) -> None:
        """Release what this incarnation holds outside (a server, say); its state is suspect."""

    def state_view(self) -> Mapping[str, object]:
        """What the debugger shows: plain values, copied, and short however large the state is."""
        return {name.lstrip("_"): _SHORT.repr(value) for name, value in sorted(vars(self).items())}


_SHORT = reprlib.Repr()
_SHORT.maxother = _SHORT.maxstring = 200


class Restart(Enum):
    """When a supervisor restarts a child, in OTP's words."""

    PERMANENT = "permanent"
    """Always, also after an orderly end."""
    TRANSIENT = "transient"
    """Only after a failure."""
    TEMPORARY = "temporary"
    """Never."""


class Dispatcher(Enum):
    """Which threads run an actor in the thread runtime. Virtual time has only one thread."""

    POOLED = "pooled"
    """A few threads shared by many actors; one actor on one thread at a time."""
    PINNED = "pinned"
    """A thread of its own: the safety chain and whoever may wait for I/O."""


class Overflow(Enum):
    """What happens to a user message that finds the mailbox full. Nobody ever blocks."""

    REJECT = "reject"
    """It becomes a dead letter (FULL)."""
    FAIL = "fail"
    """The same, and the actor fails: on the order path a lost message is a failure."""


class MailboxSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The user lane's bound and policies.

    `conflate` gives a key for messages of which only the newest of each key matters (quotes by
    symbol): the newer takes the older one's place in the queue. None: the message stands alone.
    """

    bound: int = 65_536
    overflow: Overflow = Overflow.REJECT
    conflate: Callable[[Message], Hashable | None] | None = None
    stash_bound: int = 1_000
    keep_on_restart: bool = True


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """Pause before the n-th restart in a row: `min(cap, base * 2**(n-1))`, jittered to 50–100 %.

    A child that ran for `stable_after` starts at `base` again. Nanoseconds.
    """

    base: int = 100 * MILLISECOND
    cap: int = 10 * SECOND
    stable_after: int = 60 * SECOND

    def delay(self, failures_in_a_row: int, jitter: float) -> int:
        """`jitter` is uniform in [0, 1); the result never exceeds `cap`."""
        doubled = self.base << min(max(failures_in_a_row - 1, 0), 40)
        return int(min(self.cap, doubled) * (0.5 + 0.5 * jitter))


class ChildSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The recipe for a child's every incarnation. Times in nanoseconds of machine time.

    `critical`: of the safety chain, so its failure trips the order gate before anything else.
    `hang_after`: a handler that runs longer has hung; it is fenced and counts as failed.
    `max_deliveries`: how often a message may crash its receiver before it is dead-lettered.
    `drain_on_stop`: an orderly stop first handles what waits in the user lane.
    `significant`: when it ends by itself, its supervisor stops too (OTP's word).
    """

    name: str
    actor: type[Actor[Any]]
    args: Mapping[str, Any] = {}
    restart: Restart = Restart.PERMANENT
    critical: bool = False
    drain_on_stop: bool = False
    significant: bool = False
    dispatcher: Dispatcher = Dispatcher.POOLED
    mailbox: MailboxSpec = MailboxSpec()
    backoff: Backoff = Backoff()
    max_deliveries: int = 1
    start_within: int = 10 * SECOND
    stop_within: int = 5 * SECOND
    hang_after: int = 2 * SECOND

    def build(self) -> Actor[Any]:
        """A fresh incarnation's actor."""
        return self.actor(**self.args)


class StashFull(Exception):
    """More messages were set aside than the mailbox's `stash_bound` allows."""


class UnhandledMessage(Exception):
    """An actor was told what is not in its inbox: it fails, and the message is a dead letter."""


def unhandled(message: Never) -> Never:
    """The last case of every `receive`: the type checker finds the message that was forgotten."""
    raise UnhandledMessage(f"{type(message).__name__} is not a message this actor takes")
