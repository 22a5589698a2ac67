#!/bin/sh
# The tests against the shop at SHOP_URL; more words are pytest's.
set -eu
: "${SHOP_URL:?is where the shop answers, as in http://10.0.0.1:8080}"
exec python -m pytest -q -p no:cacheprovider e2e_tests "$@"
