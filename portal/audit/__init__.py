"""The append-only record of who changed, viewed or downloaded what."""
