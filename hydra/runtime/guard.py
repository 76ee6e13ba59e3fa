"""Raises when actor code in virtual time reaches for the real world's time, randomness or threads.

It watches calls into C through `sys.setprofile`, so it does not matter under which name a function
was imported. That makes handlers slower, so it is on in tests and explore runs, not in replay.
"""

from __future__ import annotations

import _thread
import gc
import os
import random
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from types import FrameType
from typing import Any


class Leak(Exception):
    """An actor used time, randomness or a thread that does not come from its context."""


def _forbidden() -> dict[Any, str]:
    names: dict[Any, str] = {}
    for module, functions in (
        (
            time,
            (
                "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns sleep "
                "clock_gettime clock_gettime_ns process_time process_time_ns localtime gmtime"
            ),
        ),
        (os, "urandom getrandom fork system"),
        (_thread, "start_new_thread start_joinable_thread"),
        (uuid, "_generate_time_safe"),
    ):
        for function in functions.split():
            found = getattr(module, function, None)
            if found is not None:
                names[found] = f"{module.__name__}.{function}"
    return names


_FORBIDDEN = _forbidden()
_SHARED_RANDOM = random._inst  # behind the functions of `random`
_NOW_NAMES = frozenset({"now", "utcnow", "today"})
_INSTEAD = (
    "actors take time, randomness and names from their context (now, market_time, rng, new_id)"
)


def _check(_frame: FrameType, event: str, called: Any) -> None:
    if event != "c_call":
        return
    try:
        name = _FORBIDDEN.get(called)
    except TypeError:  # an unhashable callable is none of those
        return
    owner = getattr(called, "__self__", None)
    if owner is _SHARED_RANDOM:
        name = f"random.{called.__name__}"
    elif isinstance(owner, type) and issubclass(owner, datetime | date):
        name = f"{owner.__name__}.{called.__name__}" if called.__name__ in _NOW_NAMES else None
    if name is not None:
        raise Leak(f"{name}() was called from an actor in virtual time; {_INSTEAD}")


class Guard:
    """Switched on around the handling of messages. Does nothing when `enabled` is false."""

    def __init__(self, *, enabled: bool) -> None:
        self.is_enabled = enabled
        self._on = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within this, a leak raises where it happens."""
        if not self.is_enabled or self._on:
            yield
            return
        before, collects = sys.getprofile(), gc.isenabled()
        gc.disable()  # a test tool's gc callback may read the clock, and is no actor
        self._on = True
        sys.setprofile(_check)
        try:
            yield
        finally:
            sys.setprofile(before)
            self._on = False
            if collects:
                gc.enable()

    def rearm(self) -> None:
        """Python takes a watcher off that has raised; what leaks next is to be found too."""
        if self._on:
            sys.setprofile(_check)

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Within this, the runtime itself may use what actors may not (pykka draws a uuid)."""
        if not self._on:
            yield
            return
        sys.setprofile(None)
        try:
            yield
        finally:
            sys.setprofile(_check)
