"""Hydra: a fail-closed, actor-model trading engine.

The engine's other packages are top-level (`actors`, `messages`, `supervisors`). Names that plain
could be taken by another distribution, so they are checked here, before anything of them runs.
"""

from importlib.util import find_spec
from pathlib import Path

__version__ = "0.1.0"

_HOME = Path(__file__).resolve().parent.parent

for _name in ("actors", "messages", "supervisors"):
    _spec = find_spec(_name)
    _found = "nothing" if _spec is None else str(_spec.origin)
    if _spec is None or _spec.origin is None or Path(_spec.origin).resolve().parent.parent != _HOME:
        raise ImportError(
            f"package {_name!r} must be Hydra's own in {_HOME}, found {_found}; "
            "another distribution of that name is installed or shadows it: remove it"
        )
