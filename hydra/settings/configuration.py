"""All that a process is told before it starts: `config/`, `.env` and the environment, together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hydra.settings.errors import SettingsError, SettingsRefused
from hydra.settings.loading import load_settings
from hydra.settings.secrets import Secrets, load_secrets
from hydra.settings.section import PluginCheck, SignalCheck, VenueName
from hydra.settings.traps import warnings_of
from hydra.settings.whole import Settings


@dataclass(frozen=True, slots=True)
class Configuration:
    """Fit to start with. `warnings`: one line each for a person, before anything else."""

    settings: Settings
    secrets: Secrets
    warnings: tuple[str, ...]


def load_configuration(
    config_dir: Path,
    env_file: Path,
    environ: Mapping[str, str],
    *,
    venue: VenueName | None = None,
    signal_check: SignalCheck | None = None,
    plugin_check: PluginCheck | None = None,
) -> Configuration:
    """Everything, or `SettingsRefused` with the errors of all files and the environment at once."""
    errors: list[SettingsError] = []
    settings: Settings | None = None
    secrets: Secrets | None = None
    try:
        settings = load_settings(
            config_dir, venue=venue, signal_check=signal_check, plugin_check=plugin_check
        )
    except SettingsRefused as refused:
        errors += refused.errors
    try:
        secrets = load_secrets(env_file, environ)
    except SettingsRefused as refused:
        errors += refused.errors
    if errors or settings is None or secrets is None:
        raise SettingsRefused(errors)
    return Configuration(settings, secrets, warnings_of(settings))
