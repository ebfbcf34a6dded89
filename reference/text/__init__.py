"""Lab text: classifiers of texts, from scratch and pretrained. ``from text import layers``.

This file is given and stays as it is.
"""
