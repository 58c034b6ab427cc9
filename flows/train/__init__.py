"""The train step: from snapshot to registered version, with its lineage."""
