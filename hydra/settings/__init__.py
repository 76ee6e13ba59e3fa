"""The schema of `config/`, read whole or refused.

A new setting is one line in `engine_sections`, `guard_sections`, `bot_parts` or `bot_sections`, and
one in the YAML.
"""

from hydra.settings.errors import SettingsError, SettingsRefused
from hydra.settings.loading import load_settings
from hydra.settings.section import VenueName
from hydra.settings.whole import Settings

__all__ = ["Settings", "SettingsError", "SettingsRefused", "VenueName", "load_settings"]
