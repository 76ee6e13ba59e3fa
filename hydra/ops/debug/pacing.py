"""How much of the processor onlookers may use: a small share, after a small advance."""

import threading
import time

from hydra.actor import SECOND


class CpuBudget:
    """At most `share` of one core on average, `advance_s` seconds of it at once.

    A single question is answered at once; whoever asks without pause waits for what it has used up,
    and the trading threads notice nothing of it.
    """

    def __init__(self, share: float, advance_s: float) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"a share is over 0 and at most 1, found {share}")
        self._share = share
        self._advance = int(advance_s * SECOND)
        self._left = self._advance
        self._at = time.monotonic_ns()
        self._lock = threading.Lock()

    def spend(self, used: int) -> None:
        """`used` ns of processor time have been used."""
        with self._lock:
            self._refill()
            self._left -= used

    def owed(self) -> float:
        """Seconds to wait before using any more; 0: go on."""
        with self._lock:
            self._refill()
            return max(0.0, -self._left / self._share / SECOND)

    def _refill(self) -> None:
        now = time.monotonic_ns()
        self._left = min(self._advance, self._left + int((now - self._at) * self._share))
        self._at = now
