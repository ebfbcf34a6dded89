"""The parts of a small network."""
