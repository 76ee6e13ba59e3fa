"""The whole configuration: one immutable snapshot, named by its digest."""

import hashlib
import json
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from hydra.settings.bot_sections import BotSections
from hydra.settings.engine_sections import EngineSections
from hydra.settings.section import Section

OF_THE_VENUE = frozenset({"broker", "live"})
"""The sections that say where it is traded, and not what or how."""


class Settings(BotSections, EngineSections):
    """Everything in `config/`. Actors are given the section they need, not this."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """With other sections, if any are given. What names the content is found anew: pydantic
        would keep it, with everything else that a copy takes along.
        """
        copied = super().model_copy(update=update, deep=deep)
        for name in ("digest", "traded_as"):
            copied.__dict__.pop(name, None)
        return copied

    @cached_property
    def digest(self) -> str:
        """32 hex digits that name this content: the same on every machine, for ever.

        Comments, order of keys and ways of writing a number (0.5, 0.50) make no difference.
        """
        return _digest_of(content_of(self))

    @cached_property
    def traded_as(self) -> str:
        """As `digest`, of what is traded and how: the same on every venue.

        It is without `broker`, and without `live`, which only live heeds.
        """
        content = content_of(self)
        assert isinstance(content, dict)
        return _digest_of({key: content[key] for key in content.keys() - OF_THE_VENUE})


def _digest_of(content: object) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def content_of(value: object, *, as_written: bool = False) -> object:
    """The plain content: dicts by key, lists, text, whole numbers, floats, true and false.

    Exact decimals are text in their shortest form. This is what digests and comparisons are of.
    `as_written`: with as many digits as they were given with, so that `Settings.model_validate`
    makes the very same settings of it again.
    """
    match value:
        case Section():
            fields = type(value).model_fields
            return {key: content_of(getattr(value, key), as_written=as_written) for key in fields}
        case Mapping():
            return {key: content_of(item, as_written=as_written) for key, item in value.items()}
        case tuple():
            return [content_of(item, as_written=as_written) for item in value]
        case Decimal():
            text = f"{value:f}"
            is_short = as_written or "." not in text
            return text if is_short else text.rstrip("0").rstrip(".")
        case time():
            return f"{value:%H:%M}"
        case Enum():
            return value.value
        case Path():
            return value.as_posix()
        case None:
            return "off"
        case bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"{type(value).__name__} has no place in settings")
