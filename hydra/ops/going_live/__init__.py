"""Whether real money may be traded (H6): what paper has shown of this very configuration.

`evidence` judges the days of a track record, `allowance` is what is said and kept of a permission,
`judging` puts both together, all pure; `looking` reads the files that they are judged by.
"""
