"""What came of a request. Decided by status and code alone, never by a text.

Everything that is not a readable yes, by the one status that is documented for it, or a 4xx in JSON
proves nothing about a write. Nor does a 422 that may mean "a request of this name was here before":
then the order exists (I18).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import msgspec

from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.http import Failure, Result
from hydra.venues.alpaca.payloads import reader
from hydra.venues.one_line import one_line

T = TypeVar("T")

NOT_TOGETHER = 42210000
"""422 by this code is a plain refusal; by any other it may be for a name that was used before."""
NO_SUCH_THING = 40410000
PROVES_NOTHING = frozenset({408, 409, 425})
"""Of the 4xx: the broker gave up waiting, was at something else, or says to come again."""


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """It was done, and the answer could be read."""

    value: T


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """It was not done. `code` is the broker's own, None without one; `details` what it adds."""

    status: int
    code: int | None
    text: str
    details: Mapping[str, str] = {}

    def __str__(self) -> str:
        number = str(self.status) if self.code is None else f"{self.status}/{self.code}"
        added = "".join(f", {name} {value}" for name, value in self.details.items())
        return f"{number}: {self.text or 'no reason given'}{added}"

    @property
    def is_absence(self) -> bool:
        """The broker itself, and nothing before it, says that there is no such thing."""
        return self.status == 404 and self.code == NO_SUCH_THING


class Exists(msgspec.Struct, frozen=True, kw_only=True):
    """An order was refused, and maybe because one of its name is there: it is to be looked up."""

    refused: Refused


class RateLimited(msgspec.Struct, frozen=True, kw_only=True):
    """Too many requests. `reset_at`: when there may be more (epoch s), None if it is not said.

    Most likely it was not done, but that is nowhere promised.
    """

    reset_at: int | None


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """It may have been done or not. `status` is None where there was no answer at all."""

    cause: str
    status: int | None = None


class NotSent(msgspec.Struct, frozen=True, kw_only=True):
    """Certainly not done: no byte of the request has left."""

    cause: str
    by_us: bool = False
    """The order gate or our own budget kept it back, and not the way to the broker."""
    untrusted: bool = False
    """Somebody is there, and does not prove to be the broker."""


Outcome: TypeAlias = Ok[T] | Refused | RateLimited | Unknown | NotSent
OrderOutcome: TypeAlias = Outcome[T] | Exists


def outcome_of(result: Result, read: Callable[[bytes], T], yes: int = 200) -> Outcome[T]:
    """What the result says; `read` makes a value of an answer's body, or raises `BadAnswer`.

    `yes` is the status that says that it was done: no other success is the broker's word.
    """
    if isinstance(result, Failure):
        if result.sent:
            return Unknown(cause=result.cause)
        return NotSent(cause=result.cause, untrusted=result.untrusted)
    status = result.status
    if status == yes:
        try:
            return Ok(read(result.body))
        except BadAnswer as bad:
            return Unknown(cause=f"{status}, and the answer cannot be read: {bad}", status=status)
    if status == 429:
        return RateLimited(reset_at=number_in(result.headers, "x-ratelimit-reset"))
    if 400 <= status < 500 and status not in PROVES_NOTHING:
        refused = _refusal(status, result.body)
        if refused is not None:
            return refused
    wanted = f", wanted {yes}" if 200 <= status < 300 else ""
    return Unknown(cause=f"the broker answered {status}{wanted}", status=status)


def order_outcome_of(outcome: Outcome[T]) -> OrderOutcome[T]:
    """The same of a request that would have made an order."""
    if isinstance(outcome, Refused) and outcome.status == 422 and outcome.code != NOT_TOGETHER:
        return Exists(refused=outcome)
    return outcome


def describe(outcome: Refused | Exists | RateLimited | Unknown | NotSent) -> str:
    """In one line, for people."""
    match outcome:
        case Refused():
            return f"refused, {outcome}"
        case Exists(refused=refused):
            return f"maybe it exists already: {refused}"
        case RateLimited():
            return "429: too many requests"
        case Unknown(cause=cause) | NotSent(cause=cause):
            return cause


def number_in(headers: Mapping[str, str], name: str) -> int | None:
    """The whole number that a header holds; None if there is none."""
    text = headers.get(name)
    if text is not None and text.isascii() and text.isdigit() and len(text) <= 12:
        return int(text)
    return None


def _refusal(status: int, body: bytes) -> Refused | None:
    """The broker's refusal; None if the body is no JSON object, and so not the broker's word."""
    try:
        fields = _read_fields(body)
    except BadAnswer:
        return None
    code = fields.pop("code", None)
    text = fields.pop("message", None)
    return Refused(
        status=status,
        code=_whole_number(code),
        text=_plain(text) if text is not None else "",
        details={one_line(name): _plain(value) for name, value in list(fields.items())[:20]},
    )


_read_fields = reader(dict[str, msgspec.Raw])
_read_number = reader(int)
_read_text = reader(str)


def _whole_number(raw: msgspec.Raw | None) -> int | None:
    if raw is None:
        return None
    try:
        return _read_number(bytes(raw))
    except BadAnswer:
        return None


def _plain(raw: msgspec.Raw) -> str:
    try:
        return one_line(_read_text(bytes(raw)))
    except BadAnswer:
        return one_line(bytes(raw).decode(errors="replace"))
