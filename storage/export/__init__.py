"""The data of a stream taken out again: files of Parquet or CSV whose layout is kept."""
