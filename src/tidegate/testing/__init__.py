"""Fakes and load for those who test what Tidegate deploys."""
