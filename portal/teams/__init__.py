"""Who competes together: forming teams, and how every change of them is kept."""
