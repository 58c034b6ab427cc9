"""The site: which pages there are, what each one is made from, and how a place is kept up to date with them."""
