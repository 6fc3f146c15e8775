"""Who is here and who hears whom: no sockets, no reactor."""
