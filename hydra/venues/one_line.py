"""What others say (a broker, a library about a file), fit for a log, a terminal and a page."""

LENGTH_MAX = 300


def one_line(text: object) -> str:
    """On one line, without anything that a terminal obeys, and of a length that can be kept."""
    printable = "".join(each if each.isprintable() else " " for each in str(text))
    line = " ".join(printable.split())
    return line if len(line) <= LENGTH_MAX else f"{line[:LENGTH_MAX]}…"
