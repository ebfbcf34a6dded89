"""Terms, who takes part in them, and what is offered in them."""
