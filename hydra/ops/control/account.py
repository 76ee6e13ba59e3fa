"""The account as the venue shows it, asked through the engine that is connected to it.

So whoever asks needs no keys and no network, and the venue's allowance is shared out in one place.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any, TypeAlias

import msgspec

from hydra.ops.debug.asking import Caller
from hydra.ops.debug.describing import Refused
from hydra.ops.debug.looking import Arguments
from hydra.runtime.runtime import Runtime
from hydra.trading.account_reading import AccountStatement
from hydra.venues.alpaca.reads import ReadFailed

READS_WITHIN_S = 12.0

ReadAccount: TypeAlias = Callable[[int | None, float], AccountStatement]
"""Reads it with what is listed since a time (UTC ns; None: for a while), by a deadline (monotonic,
s). Raises `ReadFailed`.
"""


class SinceWhen(Arguments, frozen=True):
    """`since`: when the reading before this one was (market time, UTC ns)."""

    since: int | None = None


class AccountAsked:
    """Answers what the account is; `read` None: this engine's venue cannot be read."""

    def __init__(self, read: ReadAccount | None) -> None:
        self._read = read

    def account(self, _runtime: Runtime, arguments: SinceWhen, _caller: Caller) -> dict[str, Any]:
        """Read the account at the venue: its worth, what it holds, and its activities."""
        if self._read is None:
            raise Refused("this engine has no venue that could be read")
        try:
            statement = self._read(arguments.since, monotonic() + READS_WITHIN_S)
        except ReadFailed as failed:
            raise Refused(f"the account could not be read: {failed}") from failed
        told: dict[str, Any] = msgspec.to_builtins(statement)
        return told
