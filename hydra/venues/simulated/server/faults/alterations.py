"""Fields that are added, changed or left out, in answers and in messages."""

from __future__ import annotations

from typing import Any

import msgspec


class Alteration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`set` gives fields new values, or adds them; `remove` leaves fields out.

    A field is named by the way to it, with dots: "order.status". On a list it means each element.
    Where the way does not lead on, nothing is altered.
    """

    set: dict[str, Any] = {}
    remove: tuple[str, ...] = ()

    def of(self, body: Any) -> Any:
        """The body altered; what was given stays as it is."""
        for path, value in self.set.items():
            body = _with(body, path.split("."), value)
        for path in self.remove:
            body = _without(body, path.split("."))
        return body


def _with(body: Any, path: list[str], value: object) -> Any:
    if isinstance(body, list):
        return [_with(element, path, value) for element in body]
    if not isinstance(body, dict):
        return body
    first, *rest = path
    if not rest:
        return body | {first: value}
    return body | {first: _with(body[first], rest, value)} if first in body else body


def _without(body: Any, path: list[str]) -> Any:
    if isinstance(body, list):
        return [_without(element, path) for element in body]
    if not isinstance(body, dict) or path[0] not in body:
        return body
    first, *rest = path
    if not rest:
        return {name: value for name, value in body.items() if name != first}
    return body | {first: _without(body[first], rest)}
