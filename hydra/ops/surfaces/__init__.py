"""How an engine is, as small files that any program can read: `state/surfaces/*.json`.

`documents` says what stands in each, `writer` keeps them fresh, `reading` says whether they are.
"""
