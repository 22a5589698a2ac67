"""Clients that notice every lost request: what a user of the deployed service would have seen.

``python -m tidegate.testing.load HOST:PORT`` runs them in one process, at bounded rates.
"""
