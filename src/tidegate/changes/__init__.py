"""From the files that commits changed to what must be built and redeployed. Pure: commits are
read through a ``repo.tree.Tree``."""
