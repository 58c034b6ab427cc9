"""The gate's step: what a challenger is held against, and the files that its tests need."""
