"""Ports as a replay has them: they answer what was answered in the session, and do nothing."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol, get_type_hints

from hydra.runtime.contents import decoded
from hydra.runtime.recording import Called


class Played(Protocol):
    """Who knows what was answered to the actor that is running."""

    def answer_of(self, port: str, arguments: tuple[Any, ...]) -> Called:
        """What this port answered; raises if it was not called so."""

    def raised_by(self, port: str, number: int) -> tuple[str, str] | None:
        """What this port raised at its call of this number (class, text), if anything."""


class PlayedPort:
    """Answers what the port answered in the session, and does nothing."""

    is_port = True

    def __init__(self, played: Played, name: str, protocol: type) -> None:
        self._played = played
        self._name = name
        self._protocol = protocol

    def __getattr__(self, member: str) -> Any:
        declared = getattr(self._protocol, member)
        if isinstance(declared, property):
            return self._answer(member, declared.fget, ())

        def call(*arguments: Any, **named: Any) -> Any:
            return self._answer(member, declared, (*arguments, named) if named else arguments)

        return call

    def _answer(self, member: str, declared: Any, arguments: tuple[Any, ...]) -> Any:
        called = self._played.answer_of(f"{self._name}.{member}", arguments)
        if called.error is not None:
            raise _raised(called.error, self._protocol)
        if called.result is None:
            return None
        return decoded(called.result, _given_by(declared))


@cache
def _given_by(declared: Callable[..., Any]) -> Any:
    return get_type_hints(declared)["return"]


class ReplayedLedger:
    """The real one; what it could not do in the session, for whatever reason, it cannot do now."""

    is_port = True

    def __init__(
        self, played: Played, name: str, ledger: Any, refusals: tuple[type[BaseException], ...]
    ) -> None:
        """`refusals` are what it raises without having changed anything."""
        self._played = played
        self._name = name
        self._ledger = ledger
        self._refusals = refusals
        self._calls = 0

    def __getattr__(self, member: str) -> Any:
        act = getattr(self._ledger, member)
        if not callable(act):
            return act

        def call(*arguments: Any, **named: Any) -> Any:
            self._calls += 1
            error = self._played.raised_by(f"{self._name}.{member}", self._calls)
            if error is not None and not self._is_refusal(error[0]):
                raise _raised(error, type(self._ledger))
            return act(*arguments, **named)  # what it refuses by its rules, it refuses again

        return call

    def _is_refusal(self, name: str) -> bool:
        kinds = list(self._refusals)
        for kind in kinds:  # it grows meanwhile
            kinds += kind.__subclasses__()
        return name in {kind.__name__ for kind in kinds}


def _raised(error: tuple[str, str], port: type) -> BaseException:
    """An exception of that name and text: the very class, where the port's module knows it."""
    name, text = error
    known = vars(sys.modules[port.__module__]).get(name) or getattr(builtins, name, None)
    if not (isinstance(known, type) and issubclass(known, Exception)):
        known = type(name, (Exception,), {})
    try:
        raised: BaseException = known(text)
    except TypeError:  # it is made of more than its text, as UnicodeDecodeError is
        alike: dict[str, Any] = {"__init__": lambda *_: None, "__str__": lambda _: text}
        raised = type(name, (known,), alike)(text)
    return raised
