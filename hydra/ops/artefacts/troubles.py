"""What went wrong in a session without being a halt: the feed, the broker's interface, the actors.

One entry for each kind of trouble, with how often, from when to when, and the first one in words.
"""

from collections.abc import Callable, Mapping

import msgspec

from hydra.ops.artefacts.story import Line
from hydra.ops.going_live.judging import MICRO, SHOWN

FEED, BROKER, ENGINE, OPERATOR = "feed", "broker", "engine", "operator"


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of one kind. `area` says whom to look at."""

    area: str
    event: str
    count: int
    first_at: str
    last_at: str
    first: str


def _always(_line: Line) -> bool:
    return True


def _is_unclean(line: Line) -> bool:
    return line.get("is_clean") is not True


def _is_not_shown(line: Line) -> bool:
    return line.get("ground") not in (MICRO, SHOWN)


def _is_reported(line: Line) -> bool:
    return line.get("why") is not None


def _stands_still(line: Line) -> bool:
    return line.get("trades") is not True


TROUBLES: Mapping[str, tuple[str, Callable[[Line], bool]]] = {
    "bar_dropped": (FEED, _always),
    "bars_missing": (FEED, _always),
    "quotes_dropped": (FEED, _always),
    "stream_gap": (FEED, _always),
    "stream_lost": (FEED, _always),
    "stream_renewed": (FEED, _always),
    "symbol_reported": (FEED, _is_reported),
    "trading_status": (FEED, _stands_still),
    "cancel_overdue": (BROKER, _always),
    "cancel_pending": (BROKER, _always),
    "cancel_withheld": (BROKER, _always),
    "look_failed": (BROKER, _always),
    "order_given_up": (BROKER, _always),
    "reconciled": (BROKER, _is_unclean),
    "report_impossible": (BROKER, _always),
    "watermark_refused": (BROKER, _always),
    "actor_failed": (ENGINE, _always),
    "actor_stop_overdue": (ENGINE, _always),
    "arming_refused": (ENGINE, _always),
    "bot_quarantined": (ENGINE, _always),
    "child_quarantined": (ENGINE, _always),
    "child_restarting": (ENGINE, _always),
    "config_warning": (ENGINE, _always),
    "fail_closed": (ENGINE, _always),
    "journal_tail_cut": (ENGINE, _always),
    "loop_overrun": (ENGINE, _always),
    "memory_alarm": (ENGINE, _always),
    "preflight_failed": (ENGINE, _always),
    "record_alarm": (ENGINE, _always),
    "record_fault": (ENGINE, _always),
    "significant_child_ended": (ENGINE, _always),
    "config_loosened": (OPERATOR, _always),
    "config_not_taken": (OPERATOR, _always),
    "config_pending": (OPERATOR, _always),
    "config_refused": (OPERATOR, _always),
    "config_reloaded": (OPERATOR, _always),
    "control_mode": (OPERATOR, _always),
    "live_judged": (OPERATOR, _is_not_shown),
    "restart_asked": (OPERATOR, _always),
    "strategy_mode": (OPERATOR, _always),
    "control_flatten": (OPERATOR, _always),
    "control_flatten_withdrawn": (OPERATOR, _always),
    "control_halt": (OPERATOR, _always),
    "control_resume": (OPERATOR, _always),
    "control_settle": (OPERATOR, _always),
    "debug_halt": (OPERATOR, _always),
    "kill_switch": (OPERATOR, _always),
}
"""Which lines of the journal count, where to look, and which of a kind do."""

WORDS_MAX = 200
_NOT_WORDS = {"ts", "seq", "event", "source", "trace", "raw", "content", "incarnation"}


class Troubles:
    """What went wrong, in the order in which it first came; it is told one line at a time."""

    def __init__(self) -> None:
        self._found: dict[str, Trouble] = {}
        self._has_passed = False

    @property
    def all(self) -> tuple[Trouble, ...]:
        """Those told by now."""
        return tuple(self._found.values())

    def take(self, line: Line) -> None:
        """Take a line that counts.

        That preflight has not passed yet, and that no price is there yet, is how every session
        begins; once preflight has passed, it counts no more.
        """
        event = line["event"]
        if event == "preflight_passed" and not self._has_passed:
            self._has_passed = True
            self._found = {
                kind: found
                for kind, found in self._found.items()
                if found.area != FEED and kind != "preflight_failed"
            }
        area, counts = TROUBLES.get(event, ("", None))
        if counts is None or not counts(line):
            return
        before = self._found.get(event)
        if before is None:
            self._found[event] = Trouble(
                area=area,
                event=event,
                count=1,
                first_at=line["ts"],
                last_at=line["ts"],
                first=words_of(line),
            )
        else:
            self._found[event] = msgspec.structs.replace(
                before, count=before.count + 1, last_at=line["ts"]
            )


def words_of(line: Line) -> str:
    """What the line says besides when and who, cut to a length."""
    words = "; ".join(
        f"{name}: {_said(value)}"
        for name, value in line.items()
        if name not in _NOT_WORDS and value not in (None, "", [], {})
    )
    source = line.get("source")
    told = f"{source}: {words}" if isinstance(source, str) and source.startswith("/") else words
    return told if len(told) <= WORDS_MAX else told[: WORDS_MAX - 1] + "…"


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_said(item) for item in value)
    return str(value)
