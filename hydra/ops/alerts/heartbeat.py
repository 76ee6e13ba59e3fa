"""A sign of life to somebody elsewhere, who tells when it does not come: a dead machine cannot.

It is sent while the engine works (`conditions.is_working`), and by nobody else: it stops when the
engine's work stops, when the watch does, and when the machine does.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from urllib.parse import urlsplit

import urllib3

from hydra.settings.secret import Secret
from hydra.trading.durations import MINUTE

EVERY = MINUTE
WITHIN_S = 20.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class HeartbeatRefused(Exception):
    """The address is of another machine, and connections to those are switched off."""


class Heartbeat:
    """Asks for one address on a thread of its own. What is not heard of is sent with the next."""

    def __init__(self, address: Secret, *, loopback_only: bool) -> None:
        """Raises HeartbeatRefused; nothing is connected to yet."""
        self._address = address
        self._host = urlsplit(address.reveal()).hostname or "no host"
        if loopback_only and self._host not in LOOPBACK:
            raise HeartbeatRefused(
                "HYDRA_HEARTBEAT_URL is of another machine, and LIVE_DISABLE_NETWORK refuses every"
                ' connection; set LIVE_DISABLE_NETWORK="0"'
            )
        self._sent_at: int | None = None
        self._is_due: SimpleQueue[None] = SimpleQueue()
        self._fault: str | None = None
        self._thread = threading.Thread(target=self._keep_sending, name="heartbeat", daemon=True)

    @property
    def fault(self) -> str | None:
        """Why the last one did not arrive; None: it did, or none was sent yet."""
        return self._fault

    def start(self) -> None:
        """Begin to take beats."""
        self._thread.start()

    def beat(self, at: int) -> None:
        """The engine works, at `at` (UTC ns). Sends once a minute, and at once after a pause."""
        since = None if self._sent_at is None else at - self._sent_at
        if since is None or not 0 <= since < EVERY:
            self._sent_at = at
            self._is_due.put(None)

    def _keep_sending(self) -> None:
        pool = urllib3.PoolManager(timeout=urllib3.Timeout(total=WITHIN_S), retries=False)
        while True:
            self._is_due.get()
            self._fault = self._sent(pool)

    def _sent(self, pool: urllib3.PoolManager) -> str | None:
        """The words of an error may have the address in them, so only its kind is told. What the
        answer says besides is not read: it may be without an end.
        """
        try:
            answer = pool.request("GET", self._address.reveal(), preload_content=False)
            answer.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return f"{self._host}: {type(error).__name__}"
        return None if answer.status < 300 else f"{self._host}: it answered {answer.status}"
