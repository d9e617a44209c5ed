"""Small functions, eager and compiled: what TensorFlow makes of them (`tandem graphs`)."""
