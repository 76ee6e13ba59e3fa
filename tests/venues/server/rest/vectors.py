"""The examples of the broker's payloads: what a request got on the wire."""

import json
from pathlib import Path
from typing import Any

import pytest

PAYLOADS = Path(__file__).parents[5] / "shared" / "alpaca" / "payloads"

needs_vectors = pytest.mark.skipif(
    not PAYLOADS.is_dir(), reason="the example payloads are not beside the project"
)


def vector(name: str) -> dict[str, Any]:
    """One file: request and response, and what it is about."""
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_bytes())
    return found


def body(name: str) -> Any:
    """The body of its response."""
    return vector(name)["response"]["body"]


def rest_vectors() -> list[str]:
    """The names of all files of REST answers; none where the files are absent."""
    if not PAYLOADS.is_dir():
        return []
    files = json.loads((PAYLOADS / "index.json").read_bytes())["files"]
    return [entry["file"].removesuffix(".json") for entry in files if entry["kind"] == "rest"]
