"""Stream schema, SQL tables and migrations, the Parquet archive, snapshots, logs, leases."""
