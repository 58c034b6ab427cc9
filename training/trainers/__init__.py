"""The folder that a trainer gets and gives back, and the program that is watched while it trains."""
