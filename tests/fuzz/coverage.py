"""Which branches of the product an input reaches: modules are compiled with a probe in each.

The probe is one assignment into an array, so code with probes runs nearly as fast as without; a
tracer would take twenty times as long. It works on every Python that Hydra runs on. Only what is
imported after `probed` has probes, so fuzzing has a process of its own.
"""

import ast
import importlib.machinery
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import CodeType, ModuleType
from typing import TypeVar

PROBES_MAX = 1 << 16
PRODUCT = ("hydra", "actors", "messages")

_HITS = "__hit__"
_S = TypeVar("_S", bound=ast.stmt)


class Coverage:
    """What was reached so far, and by the input that is being read."""

    def __init__(self) -> None:
        self.hits = bytearray(PROBES_MAX)
        self.probes = 0
        self._seen = 0

    def begin(self) -> None:
        """Another input comes."""
        self.hits[: self.probes] = bytes(self.probes)

    def is_new(self) -> bool:
        """Whether it has reached what none before it has."""
        reached = int.from_bytes(self.hits[: self.probes], "big")
        fresh = reached & ~self._seen
        self._seen |= reached
        return fresh != 0

    @property
    def reached(self) -> int:
        """How many probes were ever reached."""
        return self._seen.bit_count()

    def next_probe(self) -> int:
        """The number of one more."""
        if self.probes < PROBES_MAX:
            self.probes += 1
        return self.probes - 1


def probed(coverage: Coverage) -> None:
    """From now on, every module of the product that is imported has probes."""
    already = [name for name in sys.modules if name.partition(".")[0] in PRODUCT]
    assert not already, f"imported before the probes: {already[:3]}"
    sys.meta_path.insert(0, _Finder(coverage))


class _Finder(MetaPathFinder):
    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in PRODUCT:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path, self._coverage)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, coverage: Coverage) -> None:
        super().__init__(fullname, path)
        self._coverage = coverage

    def get_code(self, fullname: str) -> CodeType:
        """Compiled anew: what lies compiled beside the source has no probes, nor shall it have."""
        path = self.get_filename(fullname)
        tree = ast.parse(self.get_data(path), path)
        _Probing(self._coverage).visit(tree)
        code: CodeType = compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)
        return code

    def exec_module(self, module: ModuleType) -> None:
        vars(module)[_HITS] = self._coverage.hits
        super().exec_module(module)


class _Probing(ast.NodeTransformer):
    """Puts a probe at the beginning of each block within a function, and behind each branch."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._depth = 0

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        return self._function(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if self._depth and not isinstance(node, ast.ClassDef):
            for field in ("body", "orelse", "finalbody"):
                block = getattr(node, field, None)
                if isinstance(block, list) and block:
                    setattr(node, field, self._with_probes(block))
        return node

    def _function(self, node: _S) -> _S:
        self._depth += 1
        try:
            self.generic_visit(node)
        finally:
            self._depth -= 1
        return node

    def _with_probes(self, block: list[ast.stmt]) -> list[ast.stmt]:
        told = [self._probe(block[0])]
        if _is_docstring(block[0]):  # some of the product's are shown, and stay what they are
            told = [block[0], *told]
            block = block[1:]
        for statement, after in zip(block, [*block[1:], None], strict=False):
            told.append(statement)
            if after is not None and isinstance(statement, ast.If | ast.For | ast.While | ast.Try):
                told.append(self._probe(after))
        return told

    def _probe(self, at: ast.stmt) -> ast.stmt:
        (probe,) = ast.parse(f"{_HITS}[{self._coverage.next_probe()}] = 1").body
        for node in ast.walk(probe):
            ast.copy_location(node, at)
        return probe


def _is_docstring(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case _:
            return False
