from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.ops.debug.client import EngineClient
from tests.ops.control.engines import ControlledEngine, controlled


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[ControlledEngine]:
    with controlled(tmp_path) as engine:
        yield engine


@pytest.fixture
def client(engine: ControlledEngine) -> Iterator[EngineClient]:
    with EngineClient(engine.files.control_socket, timeout=10) as client:
        yield client
