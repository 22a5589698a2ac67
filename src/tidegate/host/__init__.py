"""The tool that runs on a server: standard library only, Python 3.9 or newer.

One deployment at a time is open on a host. Everything is convergent: *undo* is "become the
current generation", *commit* is "become the new one", so whatever died, and wherever, the
way back to one whole release is the same code.
"""
