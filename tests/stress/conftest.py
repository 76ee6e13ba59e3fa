"""Real threads that change places all the time; the slow suite runs everything fifty times."""

from collections.abc import Iterator

import pytest

from hydra.runtime.thread_runtime import ThreadRuntime
from tests.contracts.runtimes.driver import ThreadDriver
from tests.kernel_fixtures import log, registry_is_left_empty

__all__ = ["log", "registry_is_left_empty"]

TIMES = 50
SWITCH_INTERVAL_S = 1e-6


@pytest.fixture(
    params=[0, *(pytest.param(again, marks=pytest.mark.slow) for again in range(1, TIMES))]
)
def attempt(request: pytest.FixtureRequest) -> int:
    """Which of the repetitions this is; it seeds the test's own choices."""
    number: int = request.param
    return number


@pytest.fixture
def system(registry_is_left_empty: None) -> Iterator[ThreadDriver]:
    """A live runtime whose threads are switched a thousand times as often as usual."""
    driver = ThreadDriver(ThreadRuntime(switch_interval_s=SWITCH_INTERVAL_S))
    yield driver
    driver.close()
