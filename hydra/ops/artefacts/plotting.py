"""Has the plots of a bundle drawn by a process of its own, with a time limit.

The library that draws takes a second to load and much memory, and may look for fonts for longer
than a stop may last. A process that is thrown away costs the engine none of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hydra.ops.artefacts.folder import PLOTS

WITHIN_S = 6.0

_PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONPATH", "TMPDIR")
"""Of the environment; the keys to the account are none of its business."""


def plots_made(folder: Path, within_s: float = WITHIN_S) -> tuple[str, ...]:
    """The names of the plots that are there; none if there is nothing to plot, or no time."""
    for name in PLOTS:
        (folder / name).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="hydra-") as scratch:
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        environment["MPLCONFIGDIR"] = _font_cache() or scratch
        try:
            subprocess.run(
                [sys.executable, "-m", "hydra.ops.artefacts.plots", str(folder.resolve())],
                cwd=Path(__file__).resolve().parents[3],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=within_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ()
    return tuple(name for name in PLOTS if (folder / name).exists())


def _font_cache() -> str | None:
    """Where the fonts of this machine are remembered; without it they are looked for each time."""
    named = os.environ.get("MPLCONFIGDIR")
    if named:
        return named
    home = Path.home() / ".cache" / "matplotlib"
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return str(home) if os.access(home, os.W_OK) else None
