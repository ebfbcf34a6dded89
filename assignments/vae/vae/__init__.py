"""The package vae.

This file is given and stays as it is. It imports nothing, because parts of the lab are graded
where torch is not installed; import the modules you need.
"""
