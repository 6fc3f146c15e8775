"""Who may come in: origins, addresses, limits."""
