"""`tandem ladder`: one small computation at every level of both APIs, each rung held against NumPy."""
