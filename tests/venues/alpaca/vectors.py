"""The recorded frames and answers of the real service, where they are at hand."""

import json
from pathlib import Path
from typing import Any

import pytest

PAYLOADS = Path(__file__).parents[4] / "shared" / "alpaca" / "payloads"


def payload(name: str) -> Any:
    """One file of the collection; the test is skipped where there is none."""
    path = PAYLOADS / f"{name}.json"
    if not path.exists():
        pytest.skip("the collection of recorded payloads is not there")
    return json.loads(path.read_text())


def frames_of(name: str) -> list[Any]:
    """What the server said in it, frame by frame."""
    return [frame["msg"] for frame in payload(name)["frames"] if frame["dir"] == "s"]
