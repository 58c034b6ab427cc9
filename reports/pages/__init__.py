"""The pages of the site: each a pure function of frozen facts, in one frame and one style."""
