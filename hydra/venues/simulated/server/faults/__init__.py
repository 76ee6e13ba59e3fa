"""What the venue can be made to do wrong, by whoever holds the admin token."""
