"""Who competes or hands in together: forming teams, and how every change of them is kept."""
