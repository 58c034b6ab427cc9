"""Models that others trained: each version answers in a process of its own, run by the interpreter that trained it."""
