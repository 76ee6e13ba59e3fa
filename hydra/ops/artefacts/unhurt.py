"""The edge between trading and its bundle: whatever breaks here is said once, and breaks no more.

It is one of the few places where everything is caught: a bundle is for people, and no fault in it,
foreseen or not, may end a session or change its exit code.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from typing import TypeVar

from hydra.runtime.life import in_words

T = TypeVar("T")


class Unhurt:
    """Does what may fail."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def do(self, consequence: str, action: Callable[[], T]) -> T | None:
        """What `action` gives; None if it failed, and then `consequence` is said, once.

        HYDRA_TRACEBACK=1 shows where the failure came from.
        """
        try:
            return action()
        # Not named: what nobody foresaw in a bundle must not end a session either.
        except Exception as error:
            if os.environ.get("HYDRA_TRACEBACK"):
                traceback.print_exc()
            with self._lock:
                is_new = consequence not in self._said
                self._said.add(consequence)
            if is_new:
                self._say(f"{consequence}: {in_words(error)}")
            return None
