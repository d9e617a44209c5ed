"""`reports/index.html`: one page, one file, that says what the runs show."""
