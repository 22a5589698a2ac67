#!/bin/sh
# Whether a customer at SHOP_URL reaches every part of the shop.
set -eu
: "${SHOP_URL:?is where the shop answers, as in http://10.0.0.1:8080}"
exec sh /e2e_tests/reach.sh
