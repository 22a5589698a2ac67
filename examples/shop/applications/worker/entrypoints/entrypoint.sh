#!/bin/sh
# work | any other command
set -eu
case "${1:-work}" in
work) exec python src/worker.py ;;
*) exec "$@" ;;
esac
