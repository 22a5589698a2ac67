"""The proofs: deployments under load, and kills at every instant, on a real lab server.

``./scripts/prove PART [--seed N]`` runs one and writes ``docs/evidence/PART.json``.
"""
