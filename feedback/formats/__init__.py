"""Files as rows: one file a format, each yields columns of text with line numbers and the raw content of bad rows."""
