"""Images as values: names, build contexts, builder commands, and what an image declares."""
