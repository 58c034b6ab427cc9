"""What is over: closed months in Parquet, tables that say which file holds what, and what is read of a history."""
