"""The promote step: the commit path, approvals, and changes of the champion by others."""
