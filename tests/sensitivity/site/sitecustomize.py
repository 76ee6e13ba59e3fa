"""Imports one module of the product from a planted source. Python imports this file by itself.

It does so in every process that has this folder in its PYTHONPATH, so that the processes that a
test starts have the bug too. `PLANTED_MODULE` says `module=path of the planted source`.
"""

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

VARIABLE = "PLANTED_MODULE"


class PlantedLoader(SourceFileLoader):
    """Compiles the planted source as if it were the module's own. No bytecode is kept of it."""

    def __init__(self, fullname: str, path: str, planted: Path) -> None:
        super().__init__(fullname, path)
        self._planted = planted

    def get_code(self, fullname: str) -> CodeType:
        self._planted.with_suffix(".imported").touch()
        code: CodeType = self.source_to_code(self._planted.read_bytes(), self.path)
        return code


class Planting(MetaPathFinder):
    """Finds one module, as the usual finder does, and has it loaded with the bug."""

    def __init__(self, module: str, planted: Path) -> None:
        self._module = module
        self._planted = planted

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None and spec.origin is not None
        spec.loader = PlantedLoader(fullname, spec.origin, self._planted)
        return spec


if VARIABLE in os.environ:
    module, _, planted = os.environ[VARIABLE].partition("=")
    sys.meta_path.insert(0, Planting(module, Path(planted)))
