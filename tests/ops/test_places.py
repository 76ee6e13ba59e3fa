"""Where the files of each venue lie."""

from pathlib import Path

import pytest

from hydra.ops.places import (
    USUAL_JOURNAL,
    USUAL_LEDGER,
    files_of_venue,
    found_without_settings,
)
from hydra.settings import Settings, VenueName, load_settings
from hydra.settings.engine_sections import BrokerSettings
from tests.ops.sessions import HOME


def settings_of(venue: VenueName) -> Settings:
    settings = load_settings(HOME / "config")
    return settings.model_copy(update={"broker": BrokerSettings(venue=venue)})


@pytest.mark.parametrize(
    ("venue", "state", "logs"),
    [
        (VenueName.PAPER, "state", "logs"),
        (VenueName.EMBEDDED, "state/embedded", "logs/embedded"),
        (VenueName.LIVE, "state/live", "logs/live"),
    ],
)
def test_each_venue_has_folders_of_its_own_and_paper_has_the_settings_i82(
    venue: VenueName, state: str, logs: str
) -> None:
    files = files_of_venue(settings_of(venue), None, None)

    assert files.ledger == Path(state, "trading_state.db")
    assert files.journal == Path(logs, "app.jsonl")


@pytest.mark.parametrize("venue", list(VenueName))
def test_in_a_folder_that_is_named_they_lie_directly(venue: VenueName) -> None:
    files = files_of_venue(settings_of(venue), Path("mine"), Path("own"))

    assert files.ledger == Path("mine", "trading_state.db")
    assert files.journal == Path("own", "app.jsonl")


@pytest.mark.parametrize("state", ["state/embedded", "state", "elsewhere"])
def test_without_settings_the_journal_is_looked_for_where_it_usually_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, logs = Path(state), Path(state.replace("state", "logs"))
    for path in (folder / USUAL_LEDGER, logs / USUAL_JOURNAL):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    found = found_without_settings(None, VenueName.PAPER, folder, None)

    assert found is not None
    assert (found.files.ledger, found.files.journal, found.venue) == (
        folder / USUAL_LEDGER,
        logs / USUAL_JOURNAL,
        "paper",
    )
    assert found_without_settings(None, None, folder, None) is None, "whose it is is not known"
    assert found_without_settings(None, VenueName.PAPER, Path("none"), None) is None
    (logs / USUAL_JOURNAL).unlink()
    assert found_without_settings(None, VenueName.PAPER, folder, None) is None


def test_live_goes_by_what_was_found_on_paper_unless_a_folder_is_named() -> None:
    folders = [files_of_venue(settings_of(venue), None, None).canary for venue in VenueName]

    assert dict(zip(VenueName, folders, strict=True)) == {
        VenueName.EMBEDDED: Path("state", "embedded", "canary"),
        VenueName.PAPER: Path("state", "canary"),
        VenueName.LIVE: Path("state", "canary"),
    }
    named = files_of_venue(settings_of(VenueName.LIVE), Path("mine"), None)
    assert named.canary == Path("mine", "canary")
