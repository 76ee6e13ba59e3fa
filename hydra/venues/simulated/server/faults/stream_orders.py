"""What can be done to the streams that are open, and what can be told on them out of turn."""

from __future__ import annotations

from datetime import UTC
from typing import Any, TypeAlias

import msgspec

from hydra.venues.simulated.server.rest.timestamps import NotATime, instant_of
from hydra.venues.simulated.server.streams.encodings import TIMES, Message
from hydra.venues.simulated.server.streams.feeds import CHANNEL_OF, Kind


class Mute(msgspec.Struct, frozen=True, kw_only=True, tag="mute", forbid_unknown_fields=True):
    """Streams stay open, but nothing comes and nothing is heard. `path` None: all streams."""

    path: str | None = None
    answers_pings: bool = True


class Unmute(msgspec.Struct, frozen=True, kw_only=True, tag="unmute", forbid_unknown_fields=True):
    """They go on; what was to come meanwhile is lost."""

    path: str | None = None


class Reset(msgspec.Struct, frozen=True, kw_only=True, tag="reset", forbid_unknown_fields=True):
    """Their connections are reset, without a word."""

    path: str | None = None


class Kick(msgspec.Struct, frozen=True, kw_only=True, tag="kick", forbid_unknown_fields=True):
    """The clients of data streams are told an error and sent away; others are just sent away."""

    path: str | None = None
    code: int = 406


StreamOrder: TypeAlias = Mute | Unmute | Reset | Kick

WORDS = {
    401: "not authenticated",
    402: "auth failed",
    404: "auth timeout",
    406: "connection limit exceeded",
    407: "slow client",
    408: "v2 not enabled",
    409: "insufficient subscription",
    411: "insufficient scope",
    500: "internal error",
}
"""The errors after which a data stream closes."""


class Announcement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message for whoever subscribed to its like: price bands, a correction, news, …

    Its times are RFC 3339; the one of `t` is now if it is not given. `path` None: all feeds of the
    kind.
    """

    kind: Kind
    message: dict[str, Any]
    path: str | None = None


class BadAnnouncement(ValueError):
    """The message could not be told to anybody. One line: what was found, what is wanted."""


def told_at(announcement: Announcement, now: int) -> Message:
    """The message as the streams have it, T first. Raises `BadAnnouncement`."""
    given = dict(announcement.message)
    what = given.pop("T", None)
    if what not in CHANNEL_OF:
        raise BadAnnouncement(f"T is {what!r}, wanted one of {', '.join(CHANNEL_OF)}")
    is_news = announcement.kind is Kind.NEWS
    if is_news != (what == "n"):
        raise BadAnnouncement(f"T is {what!r} on {announcement.kind.value}, wanted n on news alone")
    about = given.get("symbols" if is_news else "S")
    if not isinstance(about, list if is_news else str):
        wanted = "a list of symbols" if is_news else "S, a symbol"
        raise BadAnnouncement(f"found {about!r} for what it is about, wanted {wanted}")
    if not is_news:
        given.setdefault("t", None)
    return {"T": what} | {
        name: _instant(name, value, now) if name in TIMES else value
        for name, value in given.items()
    }


def _instant(name: str, value: object, now: int) -> int:
    if value is None:
        return now
    try:
        return instant_of(str(value), UTC)
    except NotATime as error:
        raise BadAnnouncement(f"{name} is {value!r}, wanted an RFC 3339 time") from error
