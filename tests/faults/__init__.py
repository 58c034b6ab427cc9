"""Crashes: what a kill at any place leaves behind is finished or undone by the next run."""
