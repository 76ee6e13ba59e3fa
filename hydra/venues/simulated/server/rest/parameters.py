"""The query of a request, read by type: what cannot be read is refused, never guessed."""

from collections.abc import Callable, Mapping
from datetime import date, tzinfo
from decimal import Decimal
from enum import Enum
from typing import TypeVar

from hydra.venues.simulated.server.rest.decimals import NotAnAmount, amount_of
from hydra.venues.simulated.server.rest.timestamps import NotATime, day_of, instant_of

Choice = TypeVar("Choice", bound=Enum)

_WHOLE_DIGITS_MAX = 18


class Direction(Enum):
    """In which order of time rows come."""

    ASCENDING = "asc"
    DESCENDING = "desc"


class Parameters:
    """One query. `refuse` makes the error of the plane out of a sentence; empty means absent."""

    def __init__(self, given: Mapping[str, str], refuse: Callable[[str], Exception]) -> None:
        self._given = given
        self._refuse = refuse

    def text(self, name: str) -> str | None:
        """As it is."""
        return self._given.get(name) or None

    def flag(self, name: str) -> bool:
        """true or false in any case, as clients in several languages write them; absent: false."""
        text = self._given.get(name, "").lower()
        if text not in {"", "true", "false", "1", "0"}:
            raise self._unreadable(name, "true or false")
        return text in {"true", "1"}

    def whole(self, name: str) -> int | None:
        """A whole number of ordinary size."""
        text = self.text(name)
        if text is None:
            return None
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _WHOLE_DIGITS_MAX):
            raise self._unreadable(name, "a whole number")
        return int(text)

    def amount(self, name: str) -> Decimal | None:
        """A plain number."""
        text = self.text(name)
        try:
            return None if text is None else amount_of(text)
        except NotAnAmount as error:
            raise self._unreadable(name, "a number") from error

    def instant(self, name: str, zone: tzinfo) -> int | None:
        """A time in UTC ns; a bare date is its midnight in `zone`."""
        text = self.text(name)
        try:
            return None if text is None else instant_of(text, zone)
        except NotATime as error:
            raise self._unreadable(name, "an RFC 3339 time or a date") from error

    def day(self, name: str) -> date | None:
        """A date; of a time, the date that is written in it."""
        text = self.text(name)
        try:
            return None if text is None else day_of(text)
        except NotATime as error:
            raise self._unreadable(name, "a date such as 2026-11-23") from error

    def words(self, name: str) -> tuple[str, ...]:
        """What stands between the commas, each once, in their order."""
        words = (word.strip() for word in self._given.get(name, "").split(","))
        return tuple(dict.fromkeys(word for word in words if word))

    def choice(self, name: str, choices: type[Choice]) -> Choice | None:
        """One of the words of an enumeration."""
        text = self.text(name)
        if text is None:
            return None
        for choice in choices:
            if choice.value == text.lower():
                return choice
        raise self._unreadable(name, " or ".join(str(choice.value) for choice in choices))

    def ascending(self, name: str) -> bool:
        """Whether the oldest comes first: asc or desc; absent: desc."""
        return self.choice(name, Direction) is Direction.ASCENDING

    def refused(self, message: str) -> Exception:
        """The plane's error, for what is readable and still wrong."""
        return self._refuse(message)

    def _unreadable(self, name: str, wanted: str) -> Exception:
        return self._refuse(f"invalid {name}: found {self._given[name][:80]!r}, wanted {wanted}")
