"""The track record: one snapshot a day that is never changed, and reports made of nothing else.

`snapshots` says what a day's snapshot is, `taking` makes today's, `folder` keeps them, each with
the hash of the one before, and `report` makes pages and figures of them, the same to the byte.
"""
