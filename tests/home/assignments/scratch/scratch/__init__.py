"""The lab of layers by hand."""
