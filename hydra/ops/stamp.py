"""When a report was made, as all reports say it."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(at: datetime | None = None) -> str:
    """`at` (now, where none is given) in UTC to the second: 2026-11-22T10:31:07Z."""
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
