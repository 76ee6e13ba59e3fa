"""What the vendor says in words, made fit for a log, a terminal and a page."""

LENGTH_MAX = 300


def one_line(text: str) -> str:
    """On one line, without anything that a terminal obeys, and of a length that can be kept."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= LENGTH_MAX else f"{line[:LENGTH_MAX]}…"
