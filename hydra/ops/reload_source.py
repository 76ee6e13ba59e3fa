"""The folder of the settings as a running engine reads it again: like a start, to the byte."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from hydra.ops.config.history import Content, read_files
from hydra.settings import Settings, VenueName, load_settings
from hydra.settings.section import PluginCheck, SignalCheck


class Unreadable(msgspec.Struct, frozen=True):
    """The files cannot be read at all: `reason` says why."""

    reason: str


def as_they_are(settings: Settings) -> Settings:
    """What most runs do to them: nothing."""
    return settings


class ConfigSource:
    """Where a start has read its configuration, and how.

    `venue` is what the command line said, None: nothing. `held_to` is what a run does to settings
    besides, however often they are read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        venue: VenueName | None = None,
        signal_check: SignalCheck | None = None,
        plugin_check: PluginCheck | None = None,
        held_to: Callable[[Settings], Settings] = as_they_are,
    ) -> None:
        self.folder = folder
        self._held_to = held_to
        self._venue = venue
        self._signal_check = signal_check
        self._plugin_check = plugin_check

    def look(self) -> Content | Unreadable:
        """What is in the files now; neither times nor sizes tell (F127)."""
        try:
            return read_files(self.folder)
        except OSError as error:
            where = error.filename or self.folder
            return Unreadable(f"{where}: {error.strerror or error}")

    def read(self) -> Settings:
        """As a start does. Raises `SettingsRefused`."""
        settings = load_settings(
            self.folder,
            venue=self._venue,
            signal_check=self._signal_check,
            plugin_check=self._plugin_check,
        )
        return self._held_to(settings)

    def holding_to(self, held_to: Callable[[Settings], Settings]) -> "ConfigSource":
        """The same files for a run that does this to their settings."""
        return ConfigSource(
            self.folder,
            venue=self._venue,
            signal_check=self._signal_check,
            plugin_check=self._plugin_check,
            held_to=held_to,
        )


def name_of(content: Content | Unreadable) -> str:
    """The same for the same content, and for no other."""
    if isinstance(content, Unreadable):
        return content.reason
    each = (hashlib.blake2b(text, digest_size=16).hexdigest() for text in content)
    return " ".join(each)
