"""Files that `init` never met, with what is true of them."""
