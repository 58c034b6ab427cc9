"""The schedule: Prefect's server, its runner, and the flow of a cycle."""
