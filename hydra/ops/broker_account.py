"""Which account the keys open, found out before anything is assembled, let alone sent (I82)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from hydra.ops.exit_codes import ExitCode
from hydra.runtime.clock import machine_time
from hydra.settings.section import VenueName
from hydra.venues.alpaca.access import Access
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.budget import Shares, Use
from hydra.venues.alpaca.calls import Calls
from hydra.venues.alpaca.identity import (
    TOO_SLOW,
    Identity,
    clock_skew,
    identity_disagreement,
    skew_fault,
)
from hydra.venues.alpaca.outcomes import Ok, Refused, Unknown, describe
from hydra.venues.alpaca.payloads import read_account, read_clock
from hydra.venues.alpaca.reads import get

T = TypeVar("T")

ASK_WITHIN_S = 15.0
PAUSE_S_MIN, PAUSE_S_MAX = 1.0, 30.0
BARRED_MAX = 5
"""So often in a row 403 may come from before the broker: it may be a gateway that is being put in
order, and else nothing that asking again helps.
"""


class NoAccount(Exception):
    """There is no account to trade on. One line: what was found, what to do."""

    def __init__(self, words: str, code: ExitCode) -> None:
        super().__init__(words)
        self.code = code


class _Silent(Exception):
    """The broker gave no answer that says anything. It may later."""


class _Barred(_Silent):
    """Somebody before the broker says 403: a gateway, or a plan that does not have this."""


def require_account(
    access: Access,
    mode: VenueName,
    *,
    bound_account: str | None,
    market_time: Callable[[], int],
    say: Callable[[str], None],
    stopping: threading.Event,
) -> str | None:
    """The account's number; None: somebody asked to stop before it was known. Raises `NoAccount`.

    `bound_account` is the one that the record is of, None if it is of none yet. A broker that
    cannot be reached is asked again, with growing pauses, and `say` is told why; one that we are
    kept from (403) a few times only. The embedded venue is ours, and has to answer at once.
    """
    return ask_until_answered(
        lambda: _account(access, mode, bound_account, market_time), mode, say, stopping
    )


def ask_until_answered(
    ask: Callable[[], T], mode: VenueName, say: Callable[[str], None], stopping: threading.Event
) -> T | None:
    """What `ask` gives once the broker answers; see `require_account`."""
    pause_s, said, barred = PAUSE_S_MIN, "", 0
    while True:
        try:
            return ask()
        except _Silent as silent:
            if mode is VenueName.EMBEDDED:
                raise NoAccount(str(silent), ExitCode.PREFLIGHT_FAILED) from silent
            barred = barred + 1 if isinstance(silent, _Barred) else 0
            if barred == BARRED_MAX:
                raise NoAccount(
                    f"venue {mode.value}: {silent}, {barred} times in a row: something before the"
                    " broker keeps us out; check that this machine and the keys may use it",
                    ExitCode.PREFLIGHT_FAILED,
                ) from silent
            if stopping.is_set():
                return None
            if str(silent) != said:
                said = str(silent)
                say(f"venue {mode.value}: {said}; trying again until it answers")
        if stopping.wait(pause_s):
            return None
        pause_s = min(PAUSE_S_MAX, 2 * pause_s)


def got(
    access: Access,
    mode: VenueName,
    path: str,
    read: Callable[[bytes], T],
    market_time: Callable[[], int],
) -> T | None:
    """What the broker says to one reading request; None: there is no such thing.

    To be called within `ask_until_answered`. Raises `NoAccount` where the keys are refused.
    """
    calls = Calls(
        access.trading,
        Shares(),
        minutes_by=machine_time,
        market_time=market_time,
        ended=lambda _: None,
    )
    outcome = calls.call(get(path, {}), read, Use.RECONCILE, deadline=monotonic() + ASK_WITHIN_S)
    match outcome:
        case Ok(value):
            return value
        case Refused(is_absence=True):
            return None
        case Refused(status=401 | 403) | Unknown(status=401):  # 401 may come as a page of HTML
            said = outcome if isinstance(outcome, Refused) else describe(outcome)
            raise NoAccount(
                f"venue {mode.value}: the keys are refused ({said}); check ALPACA_KEY and"
                f" ALPACA_SECRET in .env: they must be of the {mode.value} account",
                ExitCode.PREFLIGHT_FAILED,
            )
        case Unknown(status=403):
            raise _Barred(f"GET {path}: {describe(outcome)}")
        case other:
            raise _Silent(f"GET {path}: {describe(other)}")


def _account(
    access: Access, mode: VenueName, bound_account: str | None, market_time: Callable[[], int]
) -> str:
    path = "/v2/account"
    number = _known(got(access, mode, path, read_account, market_time), path).account_number
    disagreement = identity_disagreement(
        Identity(
            mode=mode,
            base_url=access.addresses.trading,
            key_id=access.key_id.reveal(),
            account_number=number,
            bound_account=bound_account,
        )
    )
    if disagreement is not None:
        raise NoAccount(disagreement, ExitCode.PAPER_LIVE_MISMATCH)
    if mode is not VenueName.EMBEDDED:  # whose clock is our own
        path, sent_at = "/v2/clock", market_time()
        clock = _known(got(access, mode, path, read_clock, market_time), path)
        try:
            fault = skew_fault(clock_skew(clock, sent_at, market_time()))
        except BadAnswer as bad:
            raise _Silent(f"GET {path}: {bad}") from bad
        if fault == TOO_SLOW:
            raise _Silent(f"GET {path}: {fault}")
        if fault is not None:
            raise NoAccount(f"venue {mode.value}: {fault}", ExitCode.PREFLIGHT_FAILED)
    return number


def _known(found: T | None, path: str) -> T:
    if found is None:
        raise _Silent(f"GET {path}: the broker says that there is none")
    return found
