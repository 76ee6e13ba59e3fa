"""What kind of thing a symbol names."""


def is_crypto(symbol: str) -> bool:
    """A pair with a slash, such as BTC/USD, is a coin's market: open round the clock, no days."""
    return "/" in symbol
