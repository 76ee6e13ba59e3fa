"""What a single value may be: read strictly from text, with range and unit.

A kind stands in a field's `Annotated`, so that whoever holds the model can also ask it what is
wanted there, and in which unit. From YAML a value always comes as text; code (and tests) may give
the value itself, which is held to the same range.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from hydra.settings.errors import shown
from hydra.settings.strict_yaml import Quoted

ParameterValue: TypeAlias = int | float | bool | str

_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_DIGITS = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
# "localtime" would be another zone on every machine.
_ZONE = re.compile(r"(?!localtime$)[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


class Kind(ABC):
    """One kind of value. `read` gives it or raises ValueError with what was found and wanted."""

    @property
    @abstractmethod
    def wanted(self) -> str:
        """In words, to follow "wanted"."""

    @abstractmethod
    def read(self, value: object) -> object:
        """The value itself."""

    def refusal(self, value: object, why: str = "") -> ValueError:
        """What was found, what is wanted, and if need be why that is no good."""
        return ValueError(f"found {shown(value)}, wanted {self.wanted}{why and f'; {why}'}")

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)


@dataclass(frozen=True, slots=True)
class WholeNumber(Kind):
    """An integer from `low` to `high`. A limit's `low` is at least 1."""

    low: int
    high: int
    unit: str

    @property
    def wanted(self) -> str:
        return f"a whole number from {self.low} to {self.high} ({self.unit})"

    def read(self, value: object) -> int:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            number = int(value)
        elif type(value) is int:
            number = value
        else:
            raise self.refusal(value)
        if self.low <= number <= self.high:
            return number
        raise self.refusal(value, _UNLIMITED if number == 0 else "")


@dataclass(frozen=True, slots=True)
class Number(Kind):
    """An exact decimal above zero and up to `at_most`, with at most `places` decimals.

    With `at_least` it is not below that either.
    """

    at_most: Decimal
    unit: str
    places: int = 4
    at_least: Decimal | None = None

    @property
    def wanted(self) -> str:
        low = "above 0" if self.at_least is None else f"of at least {self.at_least}"
        return (
            f"a number {low}, at most {self.at_most}, "
            f"with no more than {self.places} decimals ({self.unit})"
        )

    def read(self, value: object) -> Decimal:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            number = Decimal(value)
        elif isinstance(value, Decimal) and value.is_finite():
            number = value
        else:
            raise self.refusal(value)
        if self._is_in_range(number) and number == round(number, self.places):
            return number
        raise self.refusal(value, _UNLIMITED if number == 0 else "")

    def _is_in_range(self, number: Decimal) -> bool:
        is_not_below = self.at_least is None or self.at_least <= number
        return 0 < number <= self.at_most and is_not_below


@dataclass(frozen=True, slots=True)
class OffOr(Kind):
    """A number, or `off`, which is None: then there is no such limit."""

    number: Number

    @property
    def unit(self) -> str:
        """The number's."""
        return self.number.unit

    @property
    def wanted(self) -> str:
        return f"off, or {self.number.wanted}"

    def read(self, value: object) -> Decimal | None:
        if value == "off":
            return None
        try:
            return self.number.read(value)
        except ValueError as error:
            raise self.refusal(value) from error


@dataclass(frozen=True, slots=True)
class Switch(Kind):
    """true or false, and no other word."""

    @property
    def wanted(self) -> str:
        return "true or false"

    def read(self, value: object) -> bool:
        match value:
            case bool():
                return value
            case "true":
                return True
            case "false":
                return False
            case _:
                raise self.refusal(value)


@dataclass(frozen=True, slots=True)
class ClockTime(Kind):
    """A time of day to the minute, local to `system.timezone`."""

    @property
    def wanted(self) -> str:
        return "a time of day as HH:MM, from 00:00 to 23:59"

    def read(self, value: object) -> time:
        if isinstance(value, time) and value == time(value.hour, value.minute):
            return value
        match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise self.refusal(value)
        return time(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class Word(Kind):
    """Text of one shape."""

    pattern: re.Pattern[str]
    wanted_words: str

    @property
    def wanted(self) -> str:
        return self.wanted_words

    def read(self, value: object) -> str:
        if isinstance(value, str) and self.pattern.fullmatch(value):
            return str(value)
        raise self.refusal(value)


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of some members of an enumeration, by value."""

    members: tuple[Enum, ...]

    @property
    def wanted(self) -> str:
        *others, last = (str(member.value) for member in self.members)
        return f"{', '.join(others)} or {last}" if others else last

    def read(self, value: object) -> Enum:
        for member in self.members:
            if value is member or (isinstance(value, str) and value == member.value):
                return member
        raise self.refusal(value)


@dataclass(frozen=True, slots=True)
class FilePath(Kind):
    """Where a file is or will be. Relative ones start from the folder Hydra is started in."""

    @property
    def wanted(self) -> str:
        return "the path of a file"

    def read(self, value: object) -> Path:
        if isinstance(value, Path):
            return value
        if not isinstance(value, str) or not value.strip() or value.endswith("/"):
            raise self.refusal(value)
        if value.startswith("~") or "$" in value:
            raise self.refusal(value, "~ and $ are not expanded, write the path out")
        return Path(value)


@dataclass(frozen=True, slots=True)
class TimeZone(Kind):
    """The name of a zone in the time-zone database."""

    @property
    def wanted(self) -> str:
        return "a time zone such as America/New_York"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _ZONE.fullmatch(value):
            raise self.refusal(value)
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            zones = available_timezones()
            if not zones:
                raise self.refusal(value, "this machine has no time-zone database") from error
            meant = _zone_meant(value, sorted(zones))
            raise self.refusal(value, f"did you mean {meant}?" if meant else "") from error
        return str(value)


ZONES_OF_ABBREVIATIONS = MappingProxyType(
    {
        **dict.fromkeys(("ET", "EST", "EDT"), "America/New_York"),
        **dict.fromkeys(("CT", "CST", "CDT"), "America/Chicago"),
        **dict.fromkeys(("MT", "MST", "MDT"), "America/Denver"),
        **dict.fromkeys(("PT", "PST", "PDT"), "America/Los_Angeles"),
        "BST": "Europe/London",
        "CEST": "Europe/Berlin",
    }
)
"""Whose clocks people mean by them. As zones most are unknown, and EST and MST have no summer."""


def _zone_meant(name: str, zones: Sequence[str]) -> str | None:
    """What somebody who wrote this probably wants. Of three letters too many zones are near: CST
    resembles UCT, and PST MST, so those are known by heart or not guessed at.
    """
    if (known := ZONES_OF_ABBREVIATIONS.get(name.upper())) is not None:
        return known
    of_places = [zone for zone in zones if "/" in zone]
    by_place = {zone.rpartition("/")[2].casefold(): zone for zone in of_places}
    by_name = {zone.casefold(): zone for zone in zones}
    same = name.casefold()
    near = by_name.get(same) or by_place.get(same)
    return near or next(iter(get_close_matches(name, of_places, n=1)), None)


@dataclass(frozen=True, slots=True)
class Parameter(Kind):
    """A strategy's parameter, typed as in JSON: a number, true, false, or else text.

    Quotes make it text. `010`, `1e3` and `1_000` are text too, for the strategy to refuse.
    """

    @property
    def wanted(self) -> str:
        return "a number of at most 18 digits, true, false or text"

    def read(self, value: object) -> ParameterValue:
        match value:
            case Quoted():
                return str(value)
            case bool() | int() | float():
                return value
            case "true" | "false":
                return value == "true"
            case str() if _WHOLE.fullmatch(value):
                return int(value)
            case str() if _FLOAT.fullmatch(value):
                return float(value)
            case str() if len(value) > 18 and _DIGITS.fullmatch(value):
                raise self.refusal(value)
            case str():
                return value
            case _:
                raise self.refusal(value)


_UNLIMITED = "zero never means unlimited"
