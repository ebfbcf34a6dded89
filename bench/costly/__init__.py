"""Uploads that try to cost the trusted side the most, and what they did cost it."""
