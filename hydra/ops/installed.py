"""What is installed, held against what the engine was written for and tested with (I88).

`make setup` installs what is locked, by its hashes. What somebody put in its place by hand is
found here, at each start, of those libraries that orders and record pass through. SQLite has a
check of its own beside its settings (`hydra/store/connection.py`).
"""

import re
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TypeAlias

Release: TypeAlias = tuple[int, ...]

WANTED: Mapping[str, tuple[Release, Release]] = {
    "exchange-calendars": ((4, 13), (5,)),
    "msgspec": ((0, 20), (1,)),
    "orjson": ((3, 11), (4,)),
    "pydantic": ((2, 12), (3,)),
    "pykka": ((4, 4), (5,)),
    "pyyaml": ((6,), (7,)),
    "urllib3": ((2, 5), (3,)),
    "websockets": ((15,), (18,)),
}
"""From the first on, and below the second: as in pyproject.toml."""


def unfit(installed: Callable[[str], str] = version) -> tuple[str, ...]:
    """A line for each that is missing or of a version that nobody tried; () if all is well.

    `installed`: the version of a distribution; raises PackageNotFoundError.
    """
    return tuple(
        f"{name}: found {found}, wanted {_shown(first)} or later and below {_shown(end)};"
        " install what is locked: make setup"
        for name, (first, end) in WANTED.items()
        if not first <= _release(found := _found(name, installed)) < end
    )


def _found(name: str, installed: Callable[[str], str]) -> str:
    try:
        return installed(name)
    except PackageNotFoundError:
        return "none"


def _release(text: str) -> Release:
    """The numbers that a version begins with; () for what begins with none, below everything."""
    numbers = _RELEASE.match(text)
    return tuple(int(number) for number in numbers[0].split(".")) if numbers else ()


def _shown(release: Release) -> str:
    return ".".join(str(number) for number in release)


_RELEASE = re.compile(r"\d+(\.\d+)*", re.ASCII)
