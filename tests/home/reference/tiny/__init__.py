"""The tiny lab."""
