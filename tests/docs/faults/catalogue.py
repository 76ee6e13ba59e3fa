"""A fault that Hydra has to survive, and what shows that it does."""

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """`docs/faults.md` shows it as a row.

    `title`: what happens, in one short sentence. `tests`: what shows the required behaviour, as
    `path::test_name` from the root. `proof`: kinds of faults and acts of `hydra-trader prove` that
    do it. `not_tested`: what of it nothing here shows, and why; "" if all of it is shown.
    """

    id: str
    title: str
    tests: tuple[str, ...] = ()
    proof: tuple[str, ...] = ()
    not_tested: str = ""


class FaultSection(msgspec.Struct, frozen=True):
    """Faults that strike the same part."""

    title: str
    faults: tuple[Fault, ...]
