"""Whether the surfaces are there and fresh, for `health`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from hydra.ops.surfaces.documents import ENDING, SURFACES
from hydra.trading.findings import Finding

READ_MAX = 4 * 1024 * 1024


def surfaces_finding(
    folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Finding:
    """One line for all of them; the worst is named."""
    faults = [fault for name in SURFACES if (fault := _fault(folder, name, now())) is not None]
    if faults:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        return Finding("surfaces", False, f"{faults[0]}{more}")
    return Finding("surfaces", True, f"{len(SURFACES)} files in {folder} are fresh")


def _fault(folder: Path, name: str, now: datetime) -> str | None:
    path = folder / f"{name}{ENDING}"
    try:
        with path.open("rb") as file:
            document: Mapping[str, Any] = orjson.loads(file.read(READ_MAX))
        written, limit = datetime.fromisoformat(document["updated_at"]), document["age_max_s"]
    except FileNotFoundError:
        return f"{path} is not there"
    except (OSError, ValueError, KeyError, TypeError) as error:
        return f"{path} cannot be read ({type(error).__name__})"
    if isinstance(limit, str):
        return None  # of the run: it is as old as that
    age_s = (now - written).total_seconds()
    if abs(age_s) <= limit:  # a clock that was set back makes none stale for long
        return None
    return f"{path} is {age_s:.0f} s old, at most {limit:g} s"
