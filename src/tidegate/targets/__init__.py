"""Where a release runs; each target renders the same compose project in its own words."""
