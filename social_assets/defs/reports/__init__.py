"""`reports/*`: one asset a declared report, one partition a week or month."""
