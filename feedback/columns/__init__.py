"""Rows taken in by columns, where that is provably what reading them one by one gives; the others go one by one."""
