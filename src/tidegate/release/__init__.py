"""The release: its canonical bytes, its digest, its signature, and how a stored one is read."""
