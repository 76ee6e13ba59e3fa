"""Where the files of each venue lie."""

from pathlib import Path

import pytest

from hydra.ops.places import files_of_venue
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
