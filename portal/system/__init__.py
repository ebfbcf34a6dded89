"""Whether the portal is well, for the machines around it and for staff on every page."""
