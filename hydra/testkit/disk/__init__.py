"""A disk that does what bad disks do: it fails, and forgets what nobody synced."""
