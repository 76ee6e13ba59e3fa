"""What has come in force is kept, so that it can be put back; that it cannot be kept is told."""

import time
from collections.abc import Callable
from pathlib import Path

from hydra.ops.config.history import About, Content, keep
from hydra.settings import Settings
from hydra.store.private_files import RightsTooOpen


class Kept:
    """The history of one venue's configurations. It is for people: no trading waits for it."""

    def __init__(self, folder: Path, venue: str, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._venue = venue
        self._say = say

    def in_force(self, content: Content, settings: Settings, how: str) -> None:
        """These files are what the engine is held to from now on; `how` they came to be so."""
        about = About(digest=settings.digest, venue=self._venue, at=time.time_ns(), how=how)
        try:
            keep(self._folder, content, about)
        except (OSError, RightsTooOpen) as error:
            self._say(f"the configuration is not kept for `config rollback`: {error}")
