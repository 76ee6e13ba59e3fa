"""A process that may hold keys writes no core file, however it was started."""

import resource
import sys
from collections.abc import Callable, Iterator

import pytest

from hydra.cli import main as command
from hydra.main import main as engine


@pytest.fixture
def cores() -> Iterator[None]:
    """Core files are written here, as where somebody looks into crashes."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] == 0:
        pytest.skip("nobody may write core files here")
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize("start", [lambda: engine(["--help"]), command])
def test_from_its_first_line_on_it_writes_no_core_i83(
    start: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["hydra-trader", "--help"])

    with pytest.raises(SystemExit):
        start()

    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
