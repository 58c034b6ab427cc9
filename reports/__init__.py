"""Reading what was stored: reports, mail bodies, tables for people."""
