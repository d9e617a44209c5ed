"""Proof that the two members of a pair are the same model, trained in the same way."""
