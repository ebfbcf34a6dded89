"""What an instructor sets of a term: its labs, their dates, limits and weights."""
