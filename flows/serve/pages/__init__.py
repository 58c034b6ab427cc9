"""The live pages of `trueup serve` on loopback: who is answered, which page lies where, "try a review"."""
