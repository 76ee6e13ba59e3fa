"""What the tests of venues share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def calendar_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the exchange's sessions are kept between tests: they take a second to compute."""
    return tmp_path_factory.mktemp("calendar")
