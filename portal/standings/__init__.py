"""What each student has earned: counted submissions, marks given by hand, and their totals."""
