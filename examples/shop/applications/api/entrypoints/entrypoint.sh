#!/bin/sh
# serve | migrate [expand|contract] [--check] | seed | any other command
set -eu
case "${1:-serve}" in
serve) exec python src/app.py ;;
migrate) shift && exec python src/migrate.py "$@" ;;
seed) exec python src/seed.py ;;
*) exec "$@" ;;
esac
