import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="package")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of an engine that runs in another process, as an embedded one has it."""
    folder = tmp_path_factory.mktemp("state")
    engine = subprocess.Popen(
        [sys.executable, "-m", "tests.ops.debug.engine_process", str(folder / "embedded")],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert engine.stdout is not None
    line = engine.stdout.readline()
    if line != "ready\n":
        engine.kill()
        pytest.fail(f"the engine did not start: {line}{engine.communicate(timeout=10)[1]}")
    yield folder
    _, errors = engine.communicate(timeout=10)
    assert (engine.returncode, errors) == (0, "")
