"""A test's name, read as the sentence that it is."""

import re


def sentence_of(name: str) -> str:
    """Without what marks it as a test, and without the invariants that it serves."""
    bare = re.sub(r"(_i\d\d)+$", "", name).removeprefix("test_")
    return re.sub(r"([a-zA-Z])_s_", r"\1's ", bare).replace("_", " ")
