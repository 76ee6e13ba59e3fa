"""How the broker says no: an HTTP status, a code of its own, and a sentence."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import msgspec

Detail: TypeAlias = str | list[str]


class Refusal(msgspec.Struct, frozen=True):
    """Nothing was done. `details` are the fields beside code and message (`buying_power`, …)."""

    status: int
    code: int
    message: str
    details: Mapping[str, Detail] = MappingProxyType({})


def malformed(message: str) -> Refusal:
    """A parameter is missing or unreadable, or a client order id was used before."""
    return Refusal(422, 40010001, message)


def unprocessable(message: str) -> Refusal:
    """The parameters do not go together, or not with the state of what they name."""
    return Refusal(422, 42210000, message)


def forbidden(message: str, **details: Detail) -> Refusal:
    """The account, its money or the hour do not allow it."""
    return Refusal(403, 40310000, message, details)


def not_found(message: str) -> Refusal:
    """There is no such thing."""
    return Refusal(404, 40410000, message)
