"""The loop: each time preflight is over, every bot is told, and runs."""

from messages.message import ControlMessage, Message


class LoopRan(Message, frozen=True, kw_only=True):
    """The health monitor's word that a loop's preflight has its verdict; `at` is market time.

    Published on `LOOP_TOPIC`. The guardian has heard the verdict before anybody hears this.
    `is_again`: it followed at once on one that failed at a start, so no loop's time has gone by.
    """

    number: int
    passed: bool
    at: int
    is_again: bool = False


LOOP_TOPIC = "loop"

LOOPS_ON_RECORD = "loops"
"""Under this key the ledger keeps up to which number loops may have been run."""


class LoopDue(ControlMessage, frozen=True, kw_only=True):
    """The guardian's word to itself: another loop's time has gone by without a verdict."""


class ReportLoops(ControlMessage, frozen=True, kw_only=True):
    """Ask the health monitor how far the loops have come."""


class LoopsReported(Message, frozen=True, kw_only=True):
    """The newest loop that was begun, and the newest that has its verdict (0: none yet)."""

    begun: int
    finished: int
    passed: bool
    overruns: int
