"""What runs on the far side of the trust line: the zygote and the confinement of its forks.

These files are copied next to the runner and run there without `grader`: they import the
standard library alone, and each other.
"""
