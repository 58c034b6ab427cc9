"""What promotions are worth: whether a better model wins, a worse one never does, and the champion can come back."""
