"""A lab as its folders describe it: manifest, bars, data and what students get of it."""
