"""Distributions made on the spot: what they say they bring, and the code behind it."""

from collections.abc import Mapping
from pathlib import Path


def bring(
    folder: Path,
    name: str,
    code: str,
    points: Mapping[str, Mapping[str, str]],
    version: str = "1.0",
) -> None:
    """Put a distribution `name` into the folder, as an installer would: a module of that name, and
    entry points by group. The folder has to be on the path.
    """
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines: list[str] = []
    for group, entries in points.items():
        lines.append(f"[{group}]")
        lines += [f"{key} = {value}" for key, value in entries.items()]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
