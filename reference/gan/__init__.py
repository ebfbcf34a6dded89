"""Lab gan: adversarial training. Import the modules you need: ``from gan import losses``.

This file is given and stays as it is.
"""
