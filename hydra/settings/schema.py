"""What is wanted where: asked when something in `config/` is not as it should be."""

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher, get_close_matches
from typing import Any, TypeAlias, TypeGuard, get_args, get_origin

from pydantic.fields import FieldInfo

from hydra.settings.bot_sections import BotSections
from hydra.settings.engine_sections import EngineSections
from hydra.settings.errors import Loc, key_of
from hydra.settings.kinds import Kind
from hydra.settings.section import Section

FILES: tuple[tuple[str, type[Section]], ...] = (
    ("settings.yaml", EngineSections),
    ("bots.yaml", BotSections),
)

_LONGEST_KEY = 64

_Place: TypeAlias = tuple[object, tuple[object, ...]]
"""A type with its annotations, among them the kind of a single value."""


def wanted_at(model: type[Section], loc: Loc) -> str:
    """In words, to follow "wanted"."""
    annotation, _ = _declared_at((model, ()), loc)
    if _is_section(annotation):
        return f"a section with {', '.join(annotation.model_fields)}"
    if (kind := kind_at(model, loc)) is not None:
        return kind.wanted
    if get_origin(annotation) is tuple:
        return "a list: [a, b], or lines that begin with -"
    return "keys and values, or {} for none"


def kind_at(model: type[Section], loc: Loc) -> Kind | None:
    """The kind of the single value at that place, if there is one."""
    _, metadata = _declared_at((model, ()), loc)
    return next((kind for kind in metadata if isinstance(kind, Kind)), None)


def value_at(data: Any, loc: Loc) -> Any:
    """What a document has at that place; raises LookupError or TypeError where it has nothing."""
    for step in loc:
        data = data[step]
    return data


def unknown_key(
    model: type[Section], data: Mapping[str, object] | None, loc: Loc
) -> tuple[str, str | None]:
    """What to say about a key that there is not, and the known key it may be a slip of.

    Only a key that is missing beside it counts as the one that was meant.
    """
    section_loc, key = loc[:-1], loc[-1]
    known, _ = _declared_at((model, ()), section_loc)
    if not _is_section(known) or not isinstance(key, str) or len(key) > _LONGEST_KEY:
        return "no such setting", None
    present = value_at(data, section_loc)
    missing = [name for name in known.model_fields if name not in present]
    if near := get_close_matches(key, missing, n=1):
        return f"no such setting; did you mean {near[0]}?", near[0]
    if homes := [home for home in _homes() if home[1].endswith(f".{key}") or home[1] == key]:
        here = key_of(loc)
        file, place = max(homes, key=lambda home: SequenceMatcher(None, here, home[1]).ratio())
        return f"no such setting here; it is {place} in {file}", None
    if near := get_close_matches(key, known.model_fields, n=1):
        return f"no such setting; did you mean {near[0]}?", None
    return f"no such setting; known here: {', '.join(known.model_fields)}", None


def _declared_at(place: _Place, loc: Loc) -> _Place:
    if not loc:
        return place
    annotation, _ = place
    step, *rest = loc
    if isinstance(step, str) and _is_section(annotation) and step in annotation.model_fields:
        field = annotation.model_fields[step]
        return _declared_at((field.annotation, tuple(field.metadata)), tuple(rest))
    if isinstance(step, int) and get_origin(annotation) is tuple:
        item = get_args(annotation)[0]
        return _declared_at((item, getattr(item, "__metadata__", ())), tuple(rest))
    return None, ()


def _is_section(annotation: object) -> TypeGuard[type[Section]]:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _homes() -> Iterator[tuple[str, str]]:
    """Every key there is: its file and its place, as `momentum_bots[].risk`."""
    for file, model in FILES:
        for place, _, _ in _places(model, ""):
            yield file, place


def places(model: type[Section]) -> Iterator[tuple[str, FieldInfo]]:
    """Every single setting of a file: its place, as `momentum_bots[].ticker`, and its field."""
    for place, field, is_section in _places(model, ""):
        if not is_section:
            yield place, field


def _places(model: type[Section], before: str) -> Iterator[tuple[str, FieldInfo, bool]]:
    for name, field in model.model_fields.items():
        annotation, joint = field.annotation, "."
        if get_origin(annotation) is tuple:
            annotation, joint = get_args(annotation)[0], "[]."
        is_section = _is_section(annotation)
        yield f"{before}{name}", field, is_section
        if _is_section(annotation):
            yield from _places(annotation, f"{before}{name}{joint}")
