"""Streams on which policies of retraining are played: each challenger is trained once, whoever asks for it."""
