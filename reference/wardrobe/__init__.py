"""The package of the competition wardrobe: ``predict`` is yours, ``files`` is given."""
