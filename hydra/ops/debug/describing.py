"""How cells and messages are told to a person or a script: plain values, bounded, times in ms."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import Enum
from typing import Any

from hydra.actor import MILLISECOND, SECOND
from hydra.ops.debug.protocol import TEXT_MAX, shortened
from hydra.runtime.cell import Cell
from hydra.runtime.envelope import AskedBy, Envelope, name_of
from hydra.runtime.inspection import hangs, running_in, shown
from hydra.runtime.runtime import Runtime

Row = dict[str, Any]

ITEMS_MAX = 200
"""Of one list or table in an actor's state; VALUES_MAX in all of it."""
VALUES_MAX = 1_000
NESTED_MAX = 4
PAYLOAD_MAX = 500
"""Characters of a message's content, where that was asked for."""


class Refused(Exception):
    """The command was understood and is not done. The text is the one line the asker reads."""


def cell_at(runtime: Runtime, path: str) -> Cell:
    """The cell of that path, or the only one whose path ends with it. Raises `Refused`."""
    cells = runtime.cells
    found = cells.get(path) or cells.get(f"/{path}")
    if found is not None:
        return found
    ending = f"/{path.strip('/')}"
    paths = list(cells)
    fitting = [other for other in paths if other.endswith(ending)]
    if len(fitting) == 1 and (only := cells.get(fitting[0])) is not None:
        return only
    if fitting:
        raise Refused(f"{path} may be {listed(fitting)}: say which")
    near = get_close_matches(ending, paths, n=3, cutoff=0.3)
    hint = f"did you mean {listed(near)}?" if near else "see `tree` for who does"
    raise Refused(f"nobody lives at {shortened(path)}; {hint}")


def listed(names: Sequence[str], most: int = 5) -> str:
    """Some names as people write them: `a, b or c`; nothing for none."""
    some = [shortened(name) for name in names[:most]]
    if len(names) > most:
        some.append(f"{len(names) - most} more")
    return " or ".join(filter(None, (", ".join(some[:-1]), *some[-1:])))


def below(runtime: Runtime, path: str) -> list[tuple[int, Cell]]:
    """A cell and all under it, each with its level, in start order; everything if `path` is ""."""
    if path:
        return list(_below(cell_at(runtime, path), 0))
    return [] if runtime.root is None else list(_below(runtime.root, 0))


def _below(cell: Cell, level: int) -> Iterator[tuple[int, Cell]]:
    yield level, cell
    for child in list(cell.children.values()):
        yield from _below(child, level + 1)


def some(rows: Sequence[Row], limit: int, **facts: Any) -> dict[str, Any]:
    """The first `limit` rows, how many there are, and what was cut; with `facts` beside them."""
    return {**facts, "rows": list(rows[:limit]), "total": len(rows), "cut": _cut(rows, limit)}


def newest(rows: Sequence[Row], limit: int, **facts: Any) -> dict[str, Any]:
    """The last `limit` rows, as `some`."""
    return {**facts, "rows": list(rows[-limit:]), "total": len(rows), "cut": _cut(rows, limit)}


def _cut(rows: Sequence[Row], limit: int) -> str | None:
    shown_all = len(rows) <= limit
    return None if shown_all else f"{limit} of {len(rows)}: a higher limit shows more"


def actor_row(cell: Cell, now: int) -> Row:
    """One actor as `mailboxes` and `tree` show it.

    `busy_ms` is how long the handler that runs now has been running, 0 if none does; `oldest_ms`
    is how long the oldest waiting message has waited.
    """
    mailbox = cell.mailbox
    running = running_in(cell)
    busy = 0 if running is None else max(0, now - running.since)
    return {
        "path": cell.path,
        "status": cell.shown_status,
        "incarnation": cell.incarnation,
        "depth": len(mailbox.user),
        "control_depth": len(mailbox.control),
        "high_water": mailbox.high_water,
        "oldest_ms": in_ms(mailbox.head_age(now)),
        "processed": cell.processed,
        "failures": cell.failed_count,
        "restarts": cell.restarts,
        "busy_ms": in_ms(busy),
        "handled_ms": in_ms(cell.busy_ns),
        "hangs": hangs(cell, busy),
        "critical": cell.spec.critical,
        "bound": mailbox.bound,
        "rejected": mailbox.rejected,
        "conflated": mailbox.conflated,
        "stashed": len(cell.stash),
    }


def message_row(envelope: Envelope, now: int, *, payload: bool = False) -> Row:
    """One message: what it is, who sent it, why, and how long ago. Its content only if asked."""
    special = envelope.special
    row: Row = {
        "type": type(envelope.message).__name__,
        "id": name_of(envelope.id),
        "sender": envelope.id[0],
        "cause": name_of(envelope.cause),
        "corr": envelope.corr,
        "age_ms": in_ms(now - envelope.at),
    }
    if special is not None:
        row["special"] = ", ".join(_what_is_special(envelope, now))
    if payload:
        row["payload"] = shown(envelope.message, PAYLOAD_MAX)
    return row


def _what_is_special(envelope: Envelope, now: int) -> Iterator[str]:
    special = envelope.special
    if special is None:
        return
    if special.timer is not None:
        yield f"timer {special.timer.key}"
    if isinstance(special.reply_to, AskedBy):
        yield f"asked by {special.reply_to.path} as {special.reply_to.tag}"
    elif special.reply_to is not None:
        yield "asked from outside"
    if special.deadline:
        left = in_ms(special.deadline - now)
        yield f"worthless in {left} ms" if left > 0 else f"expired {-left} ms ago"
    if special.deliveries:
        yield f"crashed its receiver {special.deliveries} times"


def in_ms(ns: int) -> float:
    """Milliseconds, to the microsecond."""
    return round(ns / MILLISECOND, 3)


def market_text(runtime: Runtime, moment: int) -> str:
    """A moment of machine time as the venue's date and time, UTC."""
    return utc_text(runtime.market_time_at(moment))


def utc_text(moment: int) -> str:
    """UTC nanoseconds as people and scripts write them, to the millisecond."""
    at = datetime.fromtimestamp(moment // SECOND, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{moment % SECOND // MILLISECOND:03d}Z"


def plain(value: Any) -> Any:
    """A value as JSON knows it, cut in depth, in count and in length; the rest as text."""
    return _Plain().told(value, 0)


class _Plain:
    """Counts what it tells, so that tables within tables do not add up to megabytes."""

    def __init__(self) -> None:
        self._left = VALUES_MAX

    def told(self, value: Any, nested: int) -> Any:
        self._left -= 1
        match value:
            case Enum():
                return value.name
            case None | bool() | float():
                return value
            case int():
                return value if abs(value) < 1 << 53 else shown(value)
            case str():
                return shortened(value, TEXT_MAX if nested < 2 else PAYLOAD_MAX)
            case dict() | Mapping() if nested < NESTED_MAX:
                items = list(value.items())
                some_items = items[: self._room()]
                told = {_key(key): self.told(item, nested + 1) for key, item in some_items}
                if len(items) > len(some_items):
                    told["…"] = f"{len(items) - len(some_items)} more"
                return told
            case list() | tuple() if nested < NESTED_MAX:
                some_values = list(value[: self._room()])
                told_values = [self.told(item, nested + 1) for item in some_values]
                if len(value) > len(some_values):
                    told_values.append(f"… {len(value) - len(some_values)} more")
                return told_values
            case _:
                return shown(value, TEXT_MAX if nested < 2 else PAYLOAD_MAX)

    def _room(self) -> int:
        return max(0, min(ITEMS_MAX, self._left))


def _key(key: object) -> str:
    return shortened(key if isinstance(key, str) else shown(key))
