"""What a run of research is called: a word, since it names a folder."""

import re

from hydra.venues.bar_rows import shown

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def fault_in_label(label: str) -> str | None:
    """One line that says what is wrong with it; None: nothing is."""
    if _LABEL.fullmatch(label):
        return None
    return (
        f"found --label {shown(label)}; wanted a word of letters, digits, dots, dashes and"
        " underscores, as it names a folder; correct it"
    )
