"""`provenance.json`: what ran, on what, from when to when, and how it ended."""

from __future__ import annotations

import platform
from collections.abc import Mapping

import msgspec

FORMAT = 1
"""Of the files of a bundle; a change that would break a reader makes it one more."""


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The market that there is to play, in market time (UTC ns); None: it has no end."""

    begins_at: int
    ends_at: int | None = None


REPLAY = "replay"
"""The mode of a run whose market is played by a replay."""


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a run before it begins.

    `data` names the bars and sessions that are played, None: they come as they come. `speed` None:
    virtual time, or no market of ours. `account` None: the broker will say it.
    `plugins` are what other distributions brought, each with its version and place.
    """

    mode: str
    venue: str
    account: str | None
    version: str
    configuration: str
    origin: str
    window: Window
    data: str | None = None
    seed: int | None = None
    speed: float | None = None
    clock: str = "wall"
    dry_run: bool = False
    plugins: tuple[str, ...] = ()


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle. Times ending in `wall_at` are the machine's clock (UTC ns), others market time.

    `ended_wall_at` None: it runs, or was killed, and nobody has closed it yet. `exit_code` None: it
    did not end by itself. `files` names the content of each file by its BLAKE2b-128.
    """

    session: str
    run: RunFacts
    began_at: int
    began_wall_at: int
    format: int = FORMAT
    python: str = platform.python_version()
    system: str = f"{platform.system()} {platform.release()} {platform.machine()}"
    ended_at: int | None = None
    ended_wall_at: int | None = None
    exit_code: int | None = None
    how_it_ended: str | None = None
    closed_late: bool = False
    files: Mapping[str, str] = {}

    @property
    def is_closed(self) -> bool:
        """Nothing more will come."""
        return self.ended_wall_at is not None


def encoded(provenance: Provenance) -> bytes:
    """As it stands in the file."""
    return msgspec.json.format(msgspec.json.encode(provenance), indent=2) + b"\n"


def decoded(content: bytes) -> Provenance:
    """Raises msgspec.MsgspecError if it is none of ours."""
    return msgspec.json.decode(content, type=Provenance)
