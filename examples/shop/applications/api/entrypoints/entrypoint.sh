#!/bin/sh
# serve | migrate | migrate --check | any other command
set -eu
case "${1:-serve}" in
serve) exec python src/app.py ;;
migrate) exec python src/migrate.py "${2:-}" ;;
*) exec "$@" ;;
esac
