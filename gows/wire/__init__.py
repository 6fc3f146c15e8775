"""Bytes on sockets: openings, frames, fan-out, closing."""
