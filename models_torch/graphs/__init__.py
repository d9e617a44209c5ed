"""Small functions, eager and compiled: what PyTorch makes of them (`tandem graphs`)."""
