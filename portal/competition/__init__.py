"""The competition: entries, the board that cannot be gamed, finals, and the result."""
