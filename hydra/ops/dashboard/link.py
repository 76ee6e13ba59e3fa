"""Where a dashboard is served and with which key, for whoever may read the engine's files."""

from __future__ import annotations

from pathlib import Path

import msgspec

from hydra.store.private_files import put_private_file, require_private_file
from hydra.venues.loopback import HOST

NAME = "link.json"
READ_MAX = 64 * 1024


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of one start: the next one has another key."""

    port: int
    key: str

    @property
    def address(self) -> str:
        """Without the key."""
        return f"http://{HOST}:{self.port}/"

    @property
    def whole(self) -> str:
        """With the key, behind the `#`: a browser keeps that to itself and sends it nowhere."""
        return f"{self.address}#{self.key}"


def put(folder: Path, link: Link) -> None:
    """Raises OSError."""
    put_private_file(folder / NAME, msgspec.json.encode(link))


def read(folder: Path) -> Link:
    """Raises FileNotFoundError where none is served; OSError, RightsTooOpen, ValueError."""
    path = folder / NAME
    require_private_file(path, path.lstat())
    with path.open("rb") as file:
        return msgspec.json.decode(file.read(READ_MAX), type=Link)


def take_away(folder: Path) -> None:
    """Nothing is served any more. Raises OSError."""
    (folder / NAME).unlink(missing_ok=True)
