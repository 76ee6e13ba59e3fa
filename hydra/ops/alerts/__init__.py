"""Tells people how the engine is, from a process of its own: a dead engine can tell nobody.

`looking` looks at the engine from outside, `conditions` says what of it somebody should know of,
`incidents` when he is told and when not again, `wording` in which words; `outbox` keeps all of that
on the disk, `channels` brings it to people, and `watcher` goes round.
"""
