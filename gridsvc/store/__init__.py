"""Memory: SQL beside the type of its rows, one file per table or reading."""
