"""Eager against compiled: what each framework makes of a small function, in its own words."""
