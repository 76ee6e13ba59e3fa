"""An actor that does what its messages say, and writes down what happens to it."""

from collections.abc import Callable
from typing import Any, TypeAlias

from hydra.actor import MILLISECOND, Actor, Backoff, ChildSpec, Context, Ref, unhandled
from messages.lifecycle import ChildQuarantined, DeadLetter, ReceiveTimeout, Replied, Terminated
from messages.message import ControlMessage, Message

Action: TypeAlias = Callable[[Context], object]

QUICK = Backoff(base=MILLISECOND, cap=MILLISECOND)


class Note(Message, frozen=True, kw_only=True):
    """Write this down."""

    text: str


class UrgentNote(ControlMessage, frozen=True, kw_only=True):
    """Write this down, ahead of everything in the user lane."""

    text: str


class Quote(Message, frozen=True, kw_only=True):
    """Only the newest of each symbol matters."""

    symbol: str
    price: int


class Do(Message, frozen=True, kw_only=True):
    """Do this in your handler."""

    action: Action


class DoUrgently(ControlMessage, frozen=True, kw_only=True):
    """Do this in your handler, ahead of everything in the user lane."""

    action: Action


class Strange(Message, frozen=True, kw_only=True):
    """Not in anybody's inbox."""


class Boom(Exception):
    """What a scripted actor raises when told to."""


def note(text: object) -> Note:
    return Note(text=str(text))


def boom(text: str = "boom") -> Do:
    """Have the actor fail."""

    def fail(_ctx: Context) -> None:
        raise Boom(text)

    return Do(action=fail)


def each(*actions: Action) -> Action:
    """One after the other, in one handler."""

    def do(ctx: Context) -> None:
        for action in actions:
            action(ctx)

    return do


def tell(ref: Ref[Any], *messages: Message) -> Do:
    """Have the actor tell these to another one."""

    def send(ctx: Context) -> None:
        for message in messages:
            ctx.tell(ref, message)

    return Do(action=send)


class Scripted(Actor[Message]):
    """`log` gets a line for each thing that happens, such as `a#1 hello` or `start a#2`."""

    def __init__(
        self, log: list[str], on_start: Action | None = None, on_stop: Action | None = None
    ) -> None:
        self._log = log
        self._on_start = on_start
        self._on_stop = on_stop

    def start(self, ctx: Context) -> None:
        self._log.append(f"start {name_of(ctx)}")
        if self._on_start is not None:
            self._on_start(ctx)

    def receive(self, message: Message, ctx: Context) -> None:
        match message:
            case Do() | DoUrgently():
                message.action(ctx)
            case Note() | UrgentNote():
                self._log.append(f"{name_of(ctx)} {message.text}")
            case Quote():
                self._log.append(f"{name_of(ctx)} {message.symbol} {message.price}")
            case Replied():
                self._log.append(f"{name_of(ctx)} {shown(message)}")
            case ReceiveTimeout():
                self._log.append(f"{name_of(ctx)} quiet")
            case Terminated():
                self._log.append(
                    f"{name_of(ctx)} terminated {message.path}#{message.incarnation}:"
                    f" {message.reason}"
                )
            case DeadLetter():
                self._log.append(
                    f"{name_of(ctx)} dead {message.message_type} {message.reason} {message.path}"
                )
            case ChildQuarantined():
                self._log.append(f"{name_of(ctx)} quarantined {message.path}: {message.reason}")
            case _:
                unhandled(message)  # type: ignore[arg-type]  # this inbox is open: all messages

    def stop(self, ctx: Context, reason: str) -> None:
        self._log.append(f"stop {name_of(ctx)}")
        if self._on_stop is not None:
            self._on_stop(ctx)


def name_of(ctx: Context) -> str:
    return f"{ctx.me.name}#{ctx.incarnation}"


def shown(reply: Replied) -> str:
    """An answer in one word: its text, its error, or that it did not come."""
    if reply.timed_out:
        return f"{reply.tag}: timed out"
    if reply.error is not None:
        return f"{reply.tag}: error {reply.error}"
    return f"{reply.tag}: {reply.value.text if isinstance(reply.value, Note) else reply.value}"


def scripted(
    name: str,
    log: list[str],
    *,
    on_start: Action | None = None,
    on_stop: Action | None = None,
    **options: Any,
) -> ChildSpec:
    """The specification of a scripted actor that is restarted quickly."""
    options.setdefault("backoff", QUICK)
    return ChildSpec(
        name=name,
        actor=Scripted,
        args={"log": log, "on_start": on_start, "on_stop": on_stop},
        **options,
    )
