"""A probe: an actor that keeps what it is told, and the handle with which a test looks at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import msgspec

from hydra.actor import SECOND, Actor, Context, Ref
from hydra.runtime.sim_runtime import SimRuntime
from messages.message import Message

Wanted = TypeVar("Wanted", bound=Message)
Answer: TypeAlias = Callable[[Message], Message | None]


class Heard(msgspec.Struct, frozen=True):
    """One message that a probe was told, by whom (a path) and when (virtual ns)."""

    message: Message
    sender: str | None
    at: int


class ProbeActor(Actor[Message]):
    """Keeps what it is told in a list that outlives it; answers if it was told how."""

    def __init__(
        self, heard: list[Heard], answers: list[Answer], topics: tuple[str, ...] = ()
    ) -> None:
        self._heard = heard
        self._answers = answers
        self._topics = topics

    def start(self, ctx: Context) -> None:
        for topic in self._topics:
            ctx.subscribe(topic)

    def receive(self, message: Message, ctx: Context) -> None:
        sender = ctx.sender
        self._heard.append(Heard(message, None if sender is None else sender.path, ctx.now()))
        for answer in self._answers:
            reply = answer(message)
            if reply is not None:
                ctx.reply(reply)
                return


class Probe:
    """Stands in for an actor. `expect` takes messages in the order they were told."""

    def __init__(
        self, runtime: SimRuntime, ref: Ref[Any], heard: list[Heard], answers: list[Answer]
    ) -> None:
        self._runtime = runtime
        self._heard = heard
        self._taken = 0
        self._answers = answers
        self.ref = ref

    @property
    def told(self) -> list[Message]:
        """Everything it was told so far, `expect`ed or not."""
        return [heard.message for heard in self._heard]

    @property
    def heard(self) -> list[Heard]:
        """The same, with senders and times."""
        return list(self._heard)

    def reply_with(self, answer: Answer) -> None:
        """From now on answer what it is told with `answer(message)`; None: no answer."""
        self._answers.append(answer)

    def expect(self, wanted: type[Wanted], *, within: int = SECOND) -> Wanted:
        """The next message, which must come within `within` virtual ns and be a `wanted`."""
        came = self._runtime.run_until(lambda: len(self._heard) > self._taken, within=within)
        if not came:
            raise AssertionError(
                f"{self.ref.path} expected {wanted.__name__} within {_seconds(within)}, "
                f"was told nothing; before that: {self._before()}"
            )
        message = self._heard[self._taken].message
        self._taken += 1
        if not isinstance(message, wanted):
            raise AssertionError(
                f"{self.ref.path} expected {wanted.__name__}, was told {message!r}"
            )
        return message

    def expect_no_message(self, *, within: int = SECOND) -> None:
        """Let `within` virtual ns pass, in which it must be told nothing more."""
        self._runtime.advance(within)
        more = [heard.message for heard in self._heard[self._taken :]]
        if more:
            raise AssertionError(
                f"{self.ref.path} expected no message within {_seconds(within)}, was told {more!r}"
            )

    def clear(self) -> None:
        """Forget what it was told so far."""
        self._heard.clear()
        self._taken = 0

    def _before(self) -> str:
        return ", ".join(type(heard.message).__name__ for heard in self._heard) or "nothing"


def _seconds(duration: int) -> str:
    return f"{duration / SECOND:g} virtual s"
