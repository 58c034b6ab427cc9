"""The ground floor: what a stream is, where its records live, and who may act on it."""
