"""Who wants to be told of something, in the order in which they came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

Told = TypeVar("Told")

Unsubscribe: TypeAlias = Callable[[], None]


class Listeners(Generic[Told]):
    """They are called one after the other, and may come and go meanwhile."""

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[Told], None], ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anybody."""
        return bool(self._listeners)

    def add(self, listener: Callable[[Told], None]) -> Unsubscribe:
        """Tell this one too from now on; the answer ends that."""
        self._listeners = (*self._listeners, listener)

        def remove() -> None:
            self._listeners = tuple(kept for kept in self._listeners if kept is not listener)

        return remove

    def tell(self, told: Told) -> None:
        """Tell everybody who listens now."""
        for listener in self._listeners:
            listener(told)
