"""What gows costs, beside others: C{make bench}."""
