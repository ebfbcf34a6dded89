"""A lab as its student meets it: home, handout, uploading."""
