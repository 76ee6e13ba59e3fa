"""What to say of an answer that cannot be what it should be."""


class BadAnswer(Exception):
    """The broker's answer cannot be read: nothing follows from it. Its text says what is wrong."""
