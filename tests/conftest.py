"""What holds for all tests."""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

from hydra.ops.artefacts import closing
from hydra.ops.code_version import code_version
from tests.results import ResultsKept

# How long an example takes says more of who else is at work on this machine than of the product;
# a test that hangs is ended by its timeout.
# A few examples find what a hundred do some runs later: each run draws others.
settings.register_profile("hydra", deadline=None, max_examples=25)
settings.load_profile("hydra")
# Whether a change may land is not to hang on what is drawn today: there the examples are always the
# same ones, by --hypothesis-profile.
settings.register_profile("steady", settings.get_profile("hydra"), derandomize=True)

# Fifteen thousand tests are a million objects that live to the end. The collector would look at
# them again and again, while they are made and in every test that makes much: a fifth of the time.
gc.disable()


def pytest_collection_finish() -> None:
    """Every test is there: from here on what is thrown away is looked for, among what is new."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", metavar="FILE", help="keep the last result of each test there")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--results")
    if path and not hasattr(config, "workerinput"):  # a worker's results are told to its parent
        kept = ResultsKept(config.rootpath / path, code_version())
        config.pluginmanager.register(kept, "results-kept")


@pytest.fixture(autouse=True)
def no_plots(request: pytest.FixtureRequest) -> Iterator[None]:
    """A run that a test makes in its own process draws nothing, which would take it a second."""
    # Not by the fixture of pytest: all tests would have it before, and so after, their own ones.
    with pytest.MonkeyPatch.context() as patched:
        if "artefacts" not in request.path.parts:
            patched.setattr(closing, "plots_made", lambda _: ())
        yield
