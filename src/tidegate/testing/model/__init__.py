"""The protocol of a fleet as a model: the very tables that run, explored to the last state."""
