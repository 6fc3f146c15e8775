"""The ``gows`` command line: tokens, keys and settings, beside the server."""
