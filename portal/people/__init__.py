"""Who a person is: accounts, passwords, logging in and out."""
