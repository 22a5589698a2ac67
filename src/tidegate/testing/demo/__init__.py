"""The demonstration: what Tidegate does for a small project, seen by its clients.

``./scripts/demo`` runs it on a lab server of its own and leaves that server up.
"""
