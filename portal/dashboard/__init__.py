"""How a lab goes for the whole class: figures with the rows behind them, and charts of them."""
