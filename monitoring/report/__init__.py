"""All that knows Evidently: the report of a check and its page."""
