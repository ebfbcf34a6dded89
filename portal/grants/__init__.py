"""What staff grant one student beyond an offering's rules: more time, more attempts."""
