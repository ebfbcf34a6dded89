"""What staff see of submissions: the list, and one with its code and full report."""
