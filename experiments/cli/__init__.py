"""The `tandem` command: parse, call one function, say where the results are."""
