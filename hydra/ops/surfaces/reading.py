"""What stands in the surfaces, and whether they are there and fresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import orjson

from hydra.ops.surfaces.documents import ENDING, SURFACES
from hydra.trading.findings import Finding

READ_MAX = 4 * 1024 * 1024


class Surface(msgspec.Struct, frozen=True):
    """One of them as it was found. `document` is None where it could not be read.

    `fault` says why it tells nothing of the present; None: it does. `age_s` is None of what is not
    known, and of what is written once in a run.
    """

    name: str
    document: Mapping[str, Any] | None
    age_s: float | None
    fault: str | None


def surfaces_in(
    folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> tuple[Surface, ...]:
    """Every surface that there should be."""
    return tuple(_surface(folder, name, now()) for name in SURFACES)


def surfaces_finding(
    folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Finding:
    """One line for all of them; the worst is named."""
    faults = [each.fault for each in surfaces_in(folder, now) if each.fault is not None]
    if faults:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        return Finding("surfaces", False, f"{faults[0]}{more}")
    return Finding("surfaces", True, f"{len(SURFACES)} files in {folder} are fresh")


def _surface(folder: Path, name: str, now: datetime) -> Surface:
    path = folder / f"{name}{ENDING}"
    try:
        with path.open("rb") as file:
            document: Mapping[str, Any] = orjson.loads(file.read(READ_MAX))
        written, limit = datetime.fromisoformat(document["updated_at"]), document["age_max_s"]
        age_s = (now - written).total_seconds()
        is_of_the_run = isinstance(limit, str)
        # A clock that was set back makes none stale for long.
        is_fresh = is_of_the_run or abs(age_s) <= limit
    except FileNotFoundError:
        return Surface(name, None, None, f"{path} is not there")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Surface(name, None, None, f"{path} cannot be read ({type(error).__name__})")
    if is_of_the_run:
        return Surface(name, document, None, None)  # it is as old as that
    if is_fresh:
        return Surface(name, document, age_s, None)
    return Surface(name, document, age_s, f"{path} is {age_s:.0f} s old, at most {limit:g} s")
