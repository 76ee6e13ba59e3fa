"""`evidence`: every control between a bot and the market, its rule, its tests, their results."""
