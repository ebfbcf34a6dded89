"""The same checks for the peers, and what puts them in each system's own form."""
