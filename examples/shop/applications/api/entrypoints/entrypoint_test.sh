#!/bin/sh
# The unit tests, in the very image; more words are pytest's: --junitxml=/out/report.xml
set -eu
exec python -m pytest -q -p no:cacheprovider test "$@"
