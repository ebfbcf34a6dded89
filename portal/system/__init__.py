"""What the machines around the portal ask it."""
