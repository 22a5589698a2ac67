#!/bin/sh
# serve | any other command
set -eu
case "${1:-serve}" in
serve) exec python src/app.py ;;
*) exec "$@" ;;
esac
