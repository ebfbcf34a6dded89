"""Programs that run inside the metered process tree; each is started by its path."""
