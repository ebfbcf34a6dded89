"""What waits for a term's staff: faults, tests to judge, runs that wait too long, work to mark."""
