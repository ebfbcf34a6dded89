"""Reads student code for mentions of forbidden names; runs in a limited child, alone."""
