"""Checks: calibrated signals, the Evidently report that shows them, and the policy that acts on them."""
