"""What can go wrong with a request and its answer on their way, and which requests it strikes.

`landed` says on which side of the request's effect it goes wrong: true, the request is carried out
first, and its own answer is lost; false, it never reaches the venue.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Any, TypeAlias

import msgspec

from hydra.venues.simulated.server.faults.alterations import Alteration


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag="answer", forbid_unknown_fields=True):
    """It is answered so. `body` is sent as JSON, `text` as it is; with neither, nothing is."""

    status: int
    body: Any = None
    text: str | None = None
    content_type: str = "application/json"
    headers: dict[str, str] = {}
    landed: bool = False


class Reset(msgspec.Struct, frozen=True, kw_only=True, tag="reset", forbid_unknown_fields=True):
    """The connection is reset, without an answer."""

    landed: bool = False


class Hang(msgspec.Struct, frozen=True, kw_only=True, tag="hang", forbid_unknown_fields=True):
    """No answer comes, until the rule is taken back: then the right one."""

    landed: bool = False


class Delay(msgspec.Struct, frozen=True, kw_only=True, tag="delay", forbid_unknown_fields=True):
    """The answer comes so many seconds of machine time later."""

    seconds: float
    landed: bool = False


class Trickle(msgspec.Struct, frozen=True, kw_only=True, tag="trickle", forbid_unknown_fields=True):
    """The answer's body comes a byte at a time, so many seconds of machine time apart."""

    seconds: float = 1.0


class Alter(msgspec.Struct, frozen=True, kw_only=True, tag="alter", forbid_unknown_fields=True):
    """The answer's body is altered."""

    alteration: Alteration


RequestFault: TypeAlias = Answer | Reset | Hang | Delay | Trickle | Alter


class RequestRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which requests a fault strikes; what is None does not matter.

    `path` may have * for anything. `contains` is a text in the query or the body, such as a client
    order id. The first `skip` are passed over; of the rest each
    `every`-th is struck, `times` of them; None: all.
    """

    fault: RequestFault
    method: str | None = None
    path: str | None = None
    contains: str | None = None
    skip: int = 0
    every: Annotated[int, msgspec.Meta(ge=1)] = 1
    times: int | None = 1

    def means(self, method: str, path: str, text: str) -> bool:
        """Whether it is about such a request; `text` is its query and body."""
        return (
            (self.method is None or method == self.method.upper())
            and (self.path is None or fnmatchcase(path, self.path))
            and (self.contains is None or self.contains in text)
        )
