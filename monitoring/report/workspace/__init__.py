"""Our checks as a workspace that Evidently's own UI opens."""
