"""Sources in use: the one that a stream's settings name, a pull of it, and the incident of one that fails."""
