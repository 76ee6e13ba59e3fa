"""The inputs that are kept: each once showed something that had to be mended, or nearly."""

from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
BYTES_MAX = 4096
"""Of a file. What has to be larger is made by code: see `Target.huge`."""


def kept_inputs(name: str) -> dict[str, bytes]:
    """Those of a target, by what they were."""
    folder = FOLDER / name
    if not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
