#!/bin/sh
# copy DIRECTORY | any other command
set -eu
case "${1:-}" in
copy) exec cp -r /bundle/. "$2" ;;
*) exec "$@" ;;
esac
