"""What came of a look at something: one line for people, and whether it is as it should be."""

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """What was looked at, whether it is as it should be, and what was found or is to be done."""

    name: str
    passed: bool
    line: str
