"""Asking an actor a question of the engine's own conversation, with a deadline."""

from itertools import count
from typing import Any, TypeVar

from hydra.actor import SECOND, Ref
from hydra.ops.debug.asking import Answer, Caller, wait_for
from hydra.ops.debug.describing import Refused
from hydra.runtime.envelope import Envelope, Special
from hydra.runtime.runtime import Runtime
from messages.message import Message

T = TypeVar("T", bound=Message)

_numbers = count(1)  # its `next` is atomic


def answered(
    runtime: Runtime,
    ref: Ref[Any],
    message: Message,
    wanted: type[T],
    within: int,
    caller: Caller,
) -> T:
    """The actor's answer, of the type that is wanted, waited for up to `within` ns.

    Raises `Refused`, with one line, if there is none, if it is another, or if asking made the actor
    fail. What was asked in vain may still be done later, unless its deadline is past by then.
    """
    answer = Answer()
    now = runtime.now()
    special = Special(reply_to=answer, deadline=now + within)
    envelope = Envelope(message, ("~control", 0, next(_numbers)), None, None, now, special)
    runtime.send(ref.path, envelope)
    wait_for(runtime, answer, within, caller)
    if not answer.is_given:
        raise Refused(
            f"the {ref.name} did not answer {type(message).__name__} within {within / SECOND:g} s:"
            f" `hydra-trader debug state {ref.name}` shows what it does"
        )
    value = answer.value
    if not isinstance(value, wanted):
        found, asked = type(value).__name__, type(message).__name__
        raise Refused(f"the {ref.name} answered {asked} with {found}, which is no answer to it")
    return value
