"""Promises about the shape of the code that the linters cannot keep, kept by reading the code."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("actors", "hydra", "messages", "supervisors")
PURE = ("actors", "messages", "supervisors", "hydra/trading")

LINES_MAX = 600
"""A longer module is two modules that have not been told apart yet."""

IMPURE_BUILTINS = {
    "__import__",
    "breakpoint",
    "compile",
    "eval",
    "exec",
    "hash",  # of a text it differs from process to process
    "id",  # differs from process to process
    "input",
    "open",
    "print",
}
IMPURE_METHODS = {"monotonic", "now", "perf_counter", "sleep", "today", "urandom", "utcnow"}


def test_nobody_but_the_risk_guardian_makes_an_order_approved() -> None:
    makers = [
        place
        for path in modules(PRODUCT)
        if relative(path) != "actors/risk_guardian.py"
        and not relative(path).startswith("hydra/testkit/")
        and "OrderApproved" in source(path)
        for place in places(path, makings_of_order_approved(parse(path)))
    ]

    assert makers == []


@pytest.mark.parametrize(
    "code",
    [
        "from messages.orders import OrderApproved\nOrderApproved(epoch=1)",
        "from messages.orders import OrderApproved as Yes\nYes(epoch=1)",
        "import messages.orders\nmessages.orders.OrderApproved(epoch=1)",
        "from messages import orders\norders.OrderApproved(epoch=1)",
        "from messages.orders import OrderApproved\nclass Mine(OrderApproved): pass",
    ],
)
def test_an_order_approved_made_elsewhere_is_found(code: str) -> None:
    assert len(list(makings_of_order_approved(ast.parse(code)))) == 1


def test_what_decides_calls_nothing_that_a_replay_could_not_repeat() -> None:
    offences = [
        place for path in modules(PURE) for place in places(path, impure_calls(parse(path)))
    ]

    assert offences == []


@pytest.mark.parametrize(
    "code",
    [
        "open('orders.csv')",
        "__import__('time')",
        "sorted(orders, key=id)",
        "hash(symbol) % 8",
        "print(order)",
        "clock = datetime\nclock.now(UTC)",
        "self._clock.monotonic()",
    ],
)
def test_an_impure_call_is_found(code: str) -> None:
    assert len(list(impure_calls(ast.parse(code)))) == 1


@pytest.mark.parametrize(
    "code",
    [
        "ctx.now()",
        "self._ctx.now()",
        "re.compile('x')",
        "bar.open",
        "open, close = 1.0, 2.0\nclose - open",
    ],
)
def test_what_only_looks_impure_is_let_pass(code: str) -> None:
    assert list(impure_calls(ast.parse(code))) == []


def test_every_failure_is_caught_by_its_name_except_where_crashes_are_handled() -> None:
    catchers = [
        place
        for path in modules(PRODUCT)
        if not handles_crashes(path) and "except" in source(path)
        for place in places(path, broad_excepts(parse(path)))
    ]

    assert catchers == []


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except Exception: pass", 1),
        ("except BaseException as error: log(error)", 1),
        ("except (ValueError, Exception): pass", 1),
        ("except: pass", 1),
        ("except ValueError: pass", 0),
        ("except BaseException: raise", 0),
    ],
)
def test_a_broad_except_is_found_unless_it_raises_again(handler: str, found: int) -> None:
    assert len(list(broad_excepts(ast.parse(f"try:\n  x()\n{handler}")))) == found


def test_crashes_are_handled_in_the_runtime_at_the_doors_and_beside_the_bundle_only() -> None:
    assert crash_handlers() == [
        "hydra/cli.py",
        "hydra/main.py",
        "hydra/ops/artefacts/unhurt.py",
        "hydra/plugins.py",
        "hydra/research/crew.py",
        "hydra/runtime/**.py",
    ]


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in modules((*PRODUCT, "tests"))}

    assert [relative(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_part_of_hydra_has_its_layer() -> None:
    parts = {
        f"hydra.{path.stem}"
        for path in (ROOT / "hydra").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert sorted(parts - {"hydra.__init__"} - layered()) == []


def test_the_configuration_holds_yaml_only() -> None:
    files = [path for path in (ROOT / "config").rglob("*") if path.is_file()]

    assert [relative(path) for path in files if path.suffix != ".yaml"] == []


def test_no_module_is_too_long_to_read_at_one_sitting() -> None:
    lengths = {relative(path): len(source(path).splitlines()) for path in modules(PRODUCT)}

    assert {name: lines for name, lines in lengths.items() if lines > LINES_MAX} == {}


@pytest.mark.parametrize("package", ["actors", "messages", "supervisors"])
def test_a_foreign_package_of_one_of_our_names_is_refused(package: str, tmp_path: Path) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("")

    refused = import_hydra(tmp_path)

    assert refused.returncode == 1
    last_line = refused.stderr.splitlines()[-1]
    assert last_line.startswith(f"ImportError: package '{package}' must be Hydra's own in {ROOT}")
    assert f"found {tmp_path / package}" in last_line


def test_hydra_starts_where_the_names_are_its_own(tmp_path: Path) -> None:
    started = import_hydra(tmp_path)

    assert (started.returncode, started.stderr) == (0, "")


def import_hydra(first_on_path: Path) -> subprocess.CompletedProcess[str]:
    """Import Hydra in a fresh Python that looks into `first_on_path` before the project."""
    return subprocess.run(
        [sys.executable, "-c", "import hydra"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(first_on_path), str(ROOT)])},
        cwd=first_on_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def makings_of_order_approved(tree: ast.Module) -> Iterator[ast.AST]:
    """Calls of the class, and classes derived from it, under whatever name it was imported."""
    names = {"OrderApproved"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {a.asname or a.name for a in node.names if a.name == "OrderApproved"}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=made) if last_name(made) in names:
                yield node
            case ast.ClassDef(bases=bases) if names.intersection(map(last_name, bases)):
                yield node
            case _:
                pass


def impure_calls(tree: ast.Module) -> Iterator[ast.AST]:
    """What asks the machine for something, even where no import shows it.

    A builtin counts wherever it is used, as in `key=id`, unless the module gives the name another
    meaning (`open` is also a price). A method counts when called, but not on the context, which
    is how the time comes in.
    """
    nodes = list(ast.walk(tree))
    own = {n.id for n in nodes if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    own |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    for node in nodes:
        match node:
            case ast.Name(id=name) if name in IMPURE_BUILTINS - own:
                yield node
            case ast.Call(func=ast.Attribute(attr=method, value=receiver)):
                if method in IMPURE_METHODS and last_name(receiver).lstrip("_") != "ctx":
                    yield node
            case _:
                pass


def broad_excepts(tree: ast.Module) -> Iterator[ast.AST]:
    """Handlers of everything. One that ends in `raise` hides nothing and does not count."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[-1], ast.Raise):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if {"", "BaseException", "Exception"}.intersection(map(last_name, kinds)):
                yield node


def last_name(expression: ast.AST | None) -> str:
    """`c` of `a.b.c`, and "" of anything that is not a name."""
    match expression:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return str(name)
        case _:
            return ""


def handles_crashes(path: Path) -> bool:
    """Whether the module is one of those that may catch everything."""
    name = relative(path)
    return any(
        name == pattern or name.startswith(pattern.removesuffix("**.py") or pattern)
        for pattern in crash_handlers()
    )


def crash_handlers() -> list[str]:
    """What ruff exempts from its rule about blind excepts: one list for both."""
    exempt: dict[str, list[str]] = tools()["ruff"]["lint"]["per-file-ignores"]
    return sorted(pattern for pattern, rules in exempt.items() if "BLE001" in rules)


def layered() -> set[str]:
    """The modules that the contract about layers names."""
    contracts = tools()["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "layers")
    return {name for layer in layers for name in re.findall(r"[\w.]+", layer)}


def tools() -> dict[str, Any]:
    """The settings of the checkers, from pyproject.toml."""
    sections: dict[str, Any] = tomllib.loads(source(ROOT / "pyproject.toml"))["tool"]
    return sections


def modules(folders: Iterable[str]) -> list[Path]:
    """Every Python file in these folders of the project."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def places(path: Path, nodes: Iterable[ast.AST]) -> list[str]:
    """Where they are, as an editor likes it: file and line."""
    return [f"{relative(path)}:{getattr(node, 'lineno', 0)}" for node in nodes]


def parse(path: Path) -> ast.Module:
    return ast.parse(source(path), filename=str(path))


def source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def relative(path: Path) -> str:
    """The path within the project, with forward slashes."""
    return path.relative_to(ROOT).as_posix()
