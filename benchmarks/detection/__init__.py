"""How well breaks are seen, and how often healthy records alarm: trueup beside its peers on the same rows."""
