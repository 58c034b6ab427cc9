"""What alerts say: the facts of one, the letter made of them, and its picture."""
