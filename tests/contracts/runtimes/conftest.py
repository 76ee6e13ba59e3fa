"""Every contract runs on threads, in canonical virtual time, and under drawn schedules."""

from collections.abc import Iterator

import pytest

from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.thread_runtime import ThreadRuntime
from tests.contracts.runtimes.driver import Driver, SimDriver, ThreadDriver
from tests.kernel_fixtures import log, registry_is_left_empty

__all__ = ["log", "registry_is_left_empty"]

RUNTIMES = ("threads", "canonical", "explore 1", "explore 2", "explore 3")


def driver_of(runtime: str) -> Driver:
    if runtime == "threads":
        return ThreadDriver(ThreadRuntime())
    if runtime == "canonical":
        return SimDriver(SimRuntime(strict=True, trace=True))
    return SimDriver(SimRuntime(strict=True, explore=int(runtime.removeprefix("explore "))))


@pytest.fixture(params=RUNTIMES)
def system(request: pytest.FixtureRequest, registry_is_left_empty: None) -> Iterator[Driver]:
    """A runtime without a tree yet."""
    driver = driver_of(request.param)
    yield driver
    driver.close()
