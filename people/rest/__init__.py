"""What the pages of the API have in common, whichever room owns them."""
