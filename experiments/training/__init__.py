"""One training: its session, its record, its checkpoint, its outputs."""
