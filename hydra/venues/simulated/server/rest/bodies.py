"""The body of a request, read field by field: strings and numbers alike, unknown fields ignored."""

from decimal import Decimal
from enum import Enum
from typing import TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from hydra.venues.simulated.brokerage.refusals import Refusal, malformed
from hydra.venues.simulated.server.rest.decimals import NotAnAmount, amount_of
from hydra.venues.simulated.server.rest.errors import Refused
from hydra.venues.simulated.server.rest.routing import terms_of

Word = TypeVar("Word", bound=Enum)

# Numbers are read by their text: a float would bring its noise into the order.
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_NOT_READABLE = Refusal(400, 40010000, "request body format is invalid")


async def fields_of(request: Request) -> "Fields":
    """The JSON object in the body. Raises `Refused`: it is none; `HTTPException`: too long."""
    longest, body = terms_of(request).body_bytes_max, bytearray()
    async for part in request.stream():
        body += part
        if len(body) > longest:
            raise HTTPException(413)
    return read_fields(bytes(body))


def read_fields(body: bytes) -> "Fields":
    """The JSON object in these bytes. Raises `Refused`: it is none."""
    try:
        found = _DECODER.decode(body)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Refused(_NOT_READABLE) from error
    if not isinstance(found, dict):
        raise Refused(_NOT_READABLE)
    return Fields(found)


class Fields:
    """A JSON object. Null and "" are the same as absent; `path` says where it stands in the body.

    What cannot be read raises `Refused`, with the field's name.
    """

    def __init__(self, found: dict[str, object], path: str = "") -> None:
        self._found = found
        self._path = path

    def text(self, name: str) -> str | None:
        """A string."""
        found = self._get(name)
        if found is not None and not isinstance(found, str):
            raise self._unreadable(name, "a string")
        return found

    def amount(self, name: str) -> Decimal | None:
        """A number, in a string or not."""
        found = self._get(name)
        try:
            return None if found is None else amount_of(found)
        except NotAnAmount as error:
            raise self._unreadable(name, "a number") from error

    def flag(self, name: str) -> bool | None:
        """A boolean, also in a string of any case."""
        found = self._get(name)
        if isinstance(found, str):
            found = {"true": True, "false": False}.get(found.lower(), found)
        if found is not None and not isinstance(found, bool):
            raise self._unreadable(name, "true or false")
        return found

    def word(self, name: str, words: type[Word]) -> Word | None:
        """One of the broker's words; its own sentence for an unknown one is short."""
        found = self._get(name)
        if found is None:
            return None
        for word in words:
            if word.value == found:
                return word
        raise Refused(malformed(f"invalid {self._path}{name}"))

    def fields(self, name: str) -> "Fields | None":
        """An object within."""
        found = self._get(name)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise self._unreadable(name, "an object")
        return Fields(found, f"{self._path}{name}.")

    def rows(self, name: str) -> tuple["Fields", ...]:
        """A list of objects within; absent: none."""
        found = self._get(name)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise self._unreadable(name, "a list of objects")
        return tuple(
            Fields(row, f"{self._path}{name}[{index}].") for index, row in enumerate(found)
        )

    def required_text(self, name: str) -> str:
        """A string that must be there."""
        found = self.text(name)
        if found is None:
            raise self._missing(name)
        return found

    def required_amount(self, name: str) -> Decimal:
        """A number that must be there."""
        found = self.amount(name)
        if found is None:
            raise self._missing(name)
        return found

    def required_word(self, name: str, words: type[Word]) -> Word:
        """A word that must be there."""
        found = self.word(name, words)
        if found is None:
            raise self._missing(name)
        return found

    def _get(self, name: str) -> object:
        found = self._found.get(name)
        return None if found == "" else found

    def _missing(self, name: str) -> Refused:
        return Refused(malformed(f"{self._path}{name} is required"))

    def _unreadable(self, name: str, wanted: str) -> Refused:
        return Refused(malformed(f"invalid {self._path}{name}: wanted {wanted}"))
