"""What `accept-live` does: an operator's word for what paper has not shown."""

import os
import sys
import time
from pathlib import Path

import orjson

from hydra.ops.debug import render
from hydra.ops.exit_codes import ExitCode
from hydra.ops.going_live.allowance import LiveWord, write_word
from hydra.ops.going_live.looking import as_configured
from hydra.ops.places import files_of_venue
from hydra.ops.reason import reason_given
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.settings import SettingsRefused, VenueName
from hydra.settings.configuration import load_configuration
from hydra.settings.live_section import LiveProfile
from hydra.store.engine_files import NamesClash
from hydra.store.private_files import RightsTooOpen


def accept_live(config: Path, state_dir: Path | None, reason: str, *, json: bool) -> ExitCode:
    """Keep the word for each start on live with these very settings."""
    reason_given(reason)
    try:
        found = load_configuration(
            config,
            Path(".env"),
            os.environ,
            venue=VenueName.LIVE,
            signal_check=fault_in_signal,
            plugin_check=fault_in_plugin,
        )
        history = files_of_venue(found.settings, state_dir, state_dir).configurations
    except SettingsRefused as refused:
        return _refused(str(refused))
    except NamesClash as clash:
        return _refused(f"{config}: {clash}")
    settings = as_configured(found.settings, found.secrets.strategy_mode)
    profile = settings.live.profile
    if profile is not LiveProfile.FULL:
        return _refused(
            f"{config / 'settings.yaml'}: live.profile: found {profile.value}, wanted full: nothing"
            " else needs a word"
        )
    word = LiveWord(
        configuration=settings.digest, reason=reason, by=f"uid {os.geteuid()}", at=time.time_ns()
    )
    try:
        write_word(history, word)
    except (OSError, RightsTooOpen) as error:
        sys.stderr.write(f"{error}\n")
        return ExitCode.DURABILITY_REFUSED
    if json:
        told = {"configuration": word.configuration, "reason": reason, "by": word.by}
        render.write(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    else:
        render.write(
            f"{config}: configuration {word.configuration} may trade real money in full, though"
            " paper has not shown it; each start says so"
        )
    return ExitCode.CLEAN


def _refused(why: str) -> ExitCode:
    sys.stderr.write(f"{why}\n")
    return ExitCode.CONFIGURATION_REFUSED
