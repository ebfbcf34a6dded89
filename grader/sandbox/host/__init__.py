"""The trusted side of the one channel to student code: what is asked, and what an answer means."""
