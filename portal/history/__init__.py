"""The audit log of a term, for its instructors to read."""
