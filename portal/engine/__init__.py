"""The engine that delivers run ids to workers, behind a port of six methods."""
