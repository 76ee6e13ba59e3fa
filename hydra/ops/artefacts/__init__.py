"""The bundle of files that every session leaves: what was traded, what stood against it, and why.

`story` is what the bundle remembers, line by line; `book` makes rows and sums of it; `report` and
`page` say it to people; `writing` keeps it while the session runs, `closing` makes it whole.
"""
