"""Lab gcn: graph convolutional networks. Import the modules you need: ``from gcn import layers``.

This file is given and stays as it is.
"""
