"""A switch for drills: streams of the broker that are to be as if nobody were there any more.

`HYDRA_DEAF_TO` names a file, which may come and go while the engine runs. What a stream whose name
stands in it has to say is not read, pings and all, as when a network swallows everything. Without
the variable nothing of this is ever looked at, and a live account refuses to start with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "HYDRA_DEAF_TO"


def arm_from(environment: Mapping[str, str]) -> Path | None:
    """Do as the environment asks from now on; gives the file that it names, None: nothing."""
    global _file  # noqa: PLW0603 (the streams share nothing with `main` but the process)
    asked = environment.get(VARIABLE)
    _file = Path(asked) if asked else None
    return _file


def is_deaf_to(stream: str) -> bool:
    """Whether what this stream says is not to be read now."""
    if _file is None:
        return False
    try:
        return stream in _file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return False


_file: Path | None = None
