"""One deployment, from the lock to its release: a table of phases and a runner over ports."""
