#!/bin/sh
exec python -S e2e.py
