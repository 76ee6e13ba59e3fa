"""When somebody is told of what is wrong, and when not again: pure.

One incident is one alert, with how often it came up, however it flaps; a reminder while it stands,
later each time; and a word when it is over. All times are UTC ns of the machine's clock, which may
jump: what would lie in the future counts as long ago, so that a jump tells sooner and never later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

import msgspec
from msgspec.structs import replace

from hydra.ops.alerts.conditions import ENGINE, Condition, Severity
from hydra.trading.durations import HOUR, SECOND

FIRST_REMINDER, REMINDER_MAX = HOUR, 12 * HOUR
"""After so long it is told again; then after twice as long, up to the maximum."""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, from when it came up until nothing of it has been seen for long."""

    key: str
    severity: Severity
    title: str
    text: str
    patience: int
    settled: int
    is_moment: bool
    is_our_own: bool
    began_at: int
    seen_at: int
    """When it was so last."""
    unknown_at: int | None = None
    """When nobody could see last whether it is so; None: not since it was so."""
    is_standing: bool = True
    came_up: int = 1
    told_at: int | None = None
    """When it was told last; None: not yet."""
    told_as: Severity | None = None
    """The worst that it was told as."""
    tellings: int = 0
    told_came_up: int = 1
    """How often it had come up when it was told last."""


class Kind(Enum):
    """What is told of an incident."""

    NEW = "new"
    WORSE = "worse"
    STILL = "still"
    AGAIN = "again"
    """Of what is over in a moment: how often it came up after it had been told."""
    OVER = "over"


class Notice(msgspec.Struct, frozen=True):
    """What somebody is to be told."""

    kind: Kind
    incident: Incident


class Outcome(msgspec.Struct, frozen=True):
    """The incidents from now on, and what is to be told because of this look."""

    incidents: Mapping[str, Incident]
    notices: tuple[Notice, ...]


def after(incidents: Mapping[str, Incident], conditions: Iterable[Condition], at: int) -> Outcome:
    """Take one look's conditions in, each key once.

    While the engine itself gives no answer, nothing is known of what else was wrong with it: that
    stays as it is, neither over nor told again. Nor is it over with the first answer: an engine
    that has just been started may not have found it yet.
    """
    found = {condition.key: condition for condition in conditions}
    is_blind = ENGINE in found
    after_it: dict[str, Incident] = {}
    notices: list[Notice] = []
    for key, condition in found.items():
        before = incidents.get(key)
        if not condition.is_said_by_a_cause:
            after_it[key] = _told(_seen(before, condition, at), at, notices)
        elif before is not None:
            after_it[key] = _seen(before, condition, at)
    for key, incident in incidents.items():
        if key in found:
            continue
        if is_blind and not (incident.is_moment or incident.is_our_own):
            after_it[key] = replace(incident, unknown_at=at)
            continue
        left = _not_seen(incident, at, notices)
        if left is not None:
            after_it[key] = left
    return Outcome(after_it, tuple(notices))


def unknown_since(incidents: Mapping[str, Incident], at: int) -> dict[str, Incident]:
    """Nobody looked until now: what is not seen from now on is not over by that."""
    return {key: replace(incident, unknown_at=at) for key, incident in incidents.items()}


def _seen(before: Incident | None, condition: Condition, at: int) -> Incident:
    if before is None:
        return Incident(
            key=condition.key,
            severity=condition.severity,
            title=condition.title,
            text=condition.text,
            patience=round(condition.patience_s * SECOND),
            settled=round(condition.settled_s * SECOND),
            is_moment=condition.is_moment,
            is_our_own=condition.is_our_own,
            began_at=at,
            seen_at=at,
        )
    comes_up = condition.is_moment or not before.is_standing
    return replace(
        before,
        severity=condition.severity,
        title=condition.title,
        text=condition.text,
        seen_at=at,
        unknown_at=None,
        is_standing=True,
        came_up=before.came_up + comes_up,
    )


def _told(incident: Incident, at: int, notices: list[Notice]) -> Incident:
    """Tell of what is so now, if it is time to."""
    kind = _kind_due(incident, at)
    if kind is None:
        return incident
    told = replace(
        incident,
        told_at=at,
        told_as=max(incident.severity, incident.told_as or incident.severity),
        tellings=incident.tellings + 1,
        told_came_up=incident.came_up,
    )
    notices.append(Notice(kind, told))
    return told


def _kind_due(incident: Incident, at: int) -> Kind | None:
    if incident.told_at is None or incident.told_as is None:
        return Kind.NEW if _has_passed(incident.patience, incident.began_at, at) else None
    if incident.severity > incident.told_as:
        return Kind.WORSE
    pause = min(REMINDER_MAX, FIRST_REMINDER << min(incident.tellings - 1, 10))
    if not _has_passed(pause, incident.told_at, at):
        return None
    return Kind.AGAIN if incident.is_moment else Kind.STILL


def _not_seen(incident: Incident, at: int, notices: list[Notice]) -> Incident | None:
    """None: it is over. What was never told is over without a word."""
    since = incident.seen_at if incident.unknown_at is None else incident.unknown_at
    if not _has_passed(incident.settled, since, at):
        return replace(incident, is_standing=False)
    if incident.told_at is not None:
        if not incident.is_moment:
            notices.append(Notice(Kind.OVER, incident))
        elif incident.came_up > incident.told_came_up:
            notices.append(Notice(Kind.AGAIN, incident))
    return None


def _has_passed(duration: int, since: int, at: int) -> bool:
    return not 0 <= at - since < duration
