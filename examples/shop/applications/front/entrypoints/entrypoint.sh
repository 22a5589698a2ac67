#!/bin/sh
# serve | any other command
set -eu
case "${1:-serve}" in
serve) exec nginx -g "daemon off;" ;;
*) exec "$@" ;;
esac
