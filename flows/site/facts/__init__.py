"""What the pages of the site say, read from the store: bounded queries, one file a page."""
