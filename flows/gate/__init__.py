"""The gate's step: what a challenger is compared with, and the files that its tests need."""
