"""What a student sees of a submission: what arrived, how it goes, the result."""
