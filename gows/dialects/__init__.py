"""What is said on a connection: the raw dialect, and gows.v1."""
