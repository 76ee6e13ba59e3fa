"""Finds in the product's code every place that says something to the journal, and what."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("actors", "hydra", "messages", "supervisors")

LINE_KEYS = frozenset({"ts", "seq", "event", "source", "crc"})
"""What every line has besides its fields."""

PASSED_ON = frozenset(
    {
        ("actors/journal_writer.py", "message.event"),
        ("actors/foreign_bot.py", "event"),
        ("hydra/runtime/context.py", "event"),
        ("hydra/store/journal.py", "event"),
        ("hydra/runtime/runtime.py", "event"),
        ("hydra/runtime/runtime.py", "f'actor_{what}'"),  # see `record` below
        ("hydra/runtime/sim_runtime.py", "what"),
        ("hydra/runtime/thread_runtime.py", "what"),
    }
)
"""The places that pass on a name which somebody else gave."""

SPEAKS_TO_OTHERS = "hydra/venues/simulated/server/"
"""What it calls an event is the broker's word, on a stream, and comes into no journal."""

MAKES_LINES = "hydra/store/journal_line.py"
"""Puts any event into a line, and says none itself."""

PUT_TOGETHER = {
    ("hydra/ops/debug/acting.py", "f'debug_{verb}'"): ("debug_suspend", "debug_resume"),
}
"""The places that put a name together, and the names that come of it."""

_MAY_SAY = re.compile(r"""\.(log|record)\(|\b(line_of|WriteEntry)\(|["']event["']""")
"""Without any of these a module says nothing."""


class Said(msgspec.Struct, frozen=True):
    """One place that says an event. `fields` is None where they are not written out there."""

    place: str
    event: str
    fields: frozenset[str] | None


class Unnamed(msgspec.Struct, frozen=True):
    """A place that says an event under a name which nobody can look up."""

    place: str
    expression: str


def events_said(root: Path = ROOT) -> Iterator[Said | Unnamed]:
    """What the whole product says, file by file."""
    for path in sorted(path for folder in PRODUCT for path in (root / folder).rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name != MAKES_LINES and not name.startswith(SPEAKS_TO_OTHERS):
            code = path.read_text(encoding="utf-8")
            if _MAY_SAY.search(code):  # most do not, and to parse them all takes seconds
                yield from events_in(name, code, root)


def events_in(name: str, code: str, root: Path = ROOT) -> Iterator[Said | Unnamed]:
    """What one module says: `….log(…)`, `….record(…)`, `line_of(…)`, `WriteEntry(…)`, and a
    dict with an "event".
    """
    tree = ast.parse(code, filename=name)
    texts = _texts(tree, root)
    for node in ast.walk(tree):
        found = _saying(node)
        if found is None:
            continue
        prefix, event, fields = found
        place, expression = f"{name}:{event.lineno}", ast.unparse(event)
        match event:
            case ast.Constant(value=str(text)):
                yield Said(place, prefix + text, fields)
            case ast.Name(id=constant) if constant in texts:
                yield Said(place, prefix + texts[constant], fields)
            case _ if (name, expression) in PUT_TOGETHER:
                for text in PUT_TOGETHER[name, expression]:
                    yield Said(place, text, fields)
            case _ if (name, expression) not in PASSED_ON:
                yield Unnamed(place, expression)
            case _:
                pass


def _saying(node: ast.AST) -> tuple[str, ast.expr, frozenset[str] | None] | None:
    """What its name begins with, the rest of the name, and the fields; None: it says nothing."""
    match node:
        case ast.Call(func=ast.Attribute(attr="log", value=receiver), args=[event, *others]):
            if isinstance(receiver, ast.Name) and receiver.id == "math":
                return None
            return "", event, _keys(others[1]) if len(others) > 1 else _keywords(node.keywords)
        case ast.Call(func=ast.Attribute(attr="record"), args=[what, _, _]):
            optional = {word for keyword in node.keywords if (word := keyword.arg)}
            return "actor_", what, frozenset({"incarnation", "detail"} | optional)
        case ast.Call(func=ast.Name(id="line_of"), args=[_, _, event, fields]):
            return "", event, _keys(fields)
        case ast.Call(func=ast.Name(id="WriteEntry")):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            return "", given["event"], _keys(given["fields"])
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "event":
                    return "", value, _keys(node)
        case _:
            pass
    return None


def _keywords(keywords: list[ast.keyword]) -> frozenset[str] | None:
    names = [keyword.arg for keyword in keywords]
    return None if None in names else frozenset(name for name in names if name)


def _keys(fields: ast.expr) -> frozenset[str] | None:
    """The keys of a dict that is written out, without those of every line."""
    if not isinstance(fields, ast.Dict):
        return None
    keys = [key.value if isinstance(key, ast.Constant) else None for key in fields.keys]
    return None if None in keys else frozenset(str(key) for key in keys) - LINE_KEYS


def _texts(tree: ast.Module, root: Path, *, follow: bool = True) -> dict[str, str]:
    """The constants of a module that hold a text, its own and those it imports."""
    texts: dict[str, str] = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                texts[name] = text
            case ast.ImportFrom(module=str(module)) if follow:
                path = root.joinpath(*module.split(".")).with_suffix(".py")
                if path.exists():
                    there = _texts_of(path)
                    texts |= {
                        a.asname or a.name: there[a.name] for a in node.names if a.name in there
                    }
            case _:
                pass
    return texts


@cache
def _texts_of(path: Path) -> dict[str, str]:
    """Those of a module's own. Half of all modules import the same few."""
    return _texts(ast.parse(path.read_text()), path.parent, follow=False)
