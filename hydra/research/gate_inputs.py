"""What a session ran with, as far as its bundle tells: its settings, and its bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from pydantic import ValidationError

from hydra.ops.flight import FOLDER
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.research.gate import NotReplayable, SessionBundle
from hydra.research.recorded import NotRecorded, description_in
from hydra.research.recorded_market import NoRecordedMarket, recorded_market
from hydra.research.replay_command import HISTORY_BARS
from hydra.research.replay_data import ReplayData, replay_data
from hydra.research.window import AskedWindow, BadReplayWindow
from hydra.runtime.contents import NotReadable
from hydra.runtime.recording import RecordingDamaged
from hydra.settings import Settings, SettingsRefused, VenueName, load_settings
from hydra.settings.strategy_mode import as_selected
from hydra.trading.strategy_modes import StrategyMode
from hydra.venues.bar_rows import BadData


def settings_of(bundle: SessionBundle, config_dir: Path) -> Settings:
    """The session's own, in its strategy mode: of its recording, else the files', if they are the
    same still. Raises `NotReplayable`.
    """
    wanted, where = bundle.provenance.run.configuration, "its recording"
    try:
        description = description_in(bundle.folder / FOLDER)
        found = settings = Settings.model_validate(description.settings)
        if found.modes.selected is not StrategyMode.NONE:
            # The bundle names the files' settings; recorded is what the mode has left of them.
            wanted = description.configuration
    except (NotRecorded, ValidationError, msgspec.MsgspecError):
        where = str(config_dir)
        found = _of_files(config_dir, bundle.provenance.run.venue)
        settings = as_selected(found)
    if found.digest != wanted:
        raise NotReplayable(
            f"found settings {found.digest} in {where}; wanted {wanted}, with which the session"
            " ran; put them back with `config rollback`, or take another session"
        )
    return settings


def data_of(
    bundle: SessionBundle, paths: Sequence[Path], interval: str | None, cache_dir: Path
) -> ReplayData:
    """Its bars: those of the files, from the session's beginning to its end; without files, those
    of its recording. Raises `NotReplayable`.
    """
    if not paths:
        return _recorded(bundle)
    begins_at = max(bundle.provenance.began_at, bundle.provenance.run.window.begins_at)
    asked = AskedWindow(timezone_label="UTC", bounds=(begins_at, bundle.ended_at))
    try:
        return replay_data(
            paths, asked, interval=interval, history=HISTORY_BARS, cache_dir=cache_dir
        )
    except (BadData, BadReplayWindow) as error:
        raise NotReplayable(str(error)) from error


def _recorded(bundle: SessionBundle) -> ReplayData:
    try:
        return recorded_market(bundle.folder, history=HISTORY_BARS)
    except (NoRecordedMarket, NotReadable, NotRecorded, RecordingDamaged) as error:
        raise NotReplayable(f"{error}; or name its bars with --data") from error


def _of_files(config_dir: Path, venue: str) -> Settings:
    try:
        return load_settings(
            config_dir,
            venue=VenueName(venue),
            signal_check=fault_in_signal,
            plugin_check=fault_in_plugin,
        )
    except (SettingsRefused, ValueError) as refused:
        raise NotReplayable(str(refused)) from refused
