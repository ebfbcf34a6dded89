"""The package of the competition swing: ``predict`` is yours, ``files`` is given."""
