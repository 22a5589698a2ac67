"""The ladder of compose files: from docker compose's own answer up to ``podman create``."""
