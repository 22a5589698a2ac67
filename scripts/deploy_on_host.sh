#!/bin/sh
# Deploy a release that lies on this server: by hand, or as the last step of a CI job.
#
#   deploy_on_host.sh PROJECT RELEASE_DIR [SECRET...]
#
# RELEASE_DIR holds release.json, release.sig and, for companion files, files/<digest>.
# Each SECRET is the name of a secret of the release; its value is taken from the environment
# variable of the same name in capitals (db_password: DB_PASSWORD) and goes to the tool on
# standard input, so that it is in no argument list and in no file.
# Exit codes are those of tidegate: 0 serves, 1 failed and put back, 2 bad input, 3 refused,
# 4 infrastructure.
set -eu

usage() { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
fail() { printf 'error: %s\n  hint: %s\n' "$1" "$2" >&2; exit 2; }

[ $# -ge 2 ] || usage
project=$1 folder=$2
shift 2
case $project in
'' | *[!a-z0-9_-]* | [-_]*) fail "'$project' is not a project name" "use a-z, 0-9, - and _" ;;
esac
for file in release.json release.sig; do
  [ -r "$folder/$file" ] || fail "$folder/$file is not there" "copy the release's folder here"
done
tool="$HOME/.local/bin/tidegate-host"
[ -x "$tool" ] || fail "tidegate-host is not installed" "run \`tidegate host bootstrap\` once"

for name in "$@"; do
  case $name in
  *[!A-Za-z0-9_.-]*) fail "'$name' is not the name of a secret" "see \`secrets:\` in the compose file" ;;
  esac
  variable=$(printf %s "$name" | tr 'a-z.-' 'A-Z__')
  eval "[ -n \"\${$variable+set}\" ]" || fail "the variable $variable is not set" "it holds the secret $name"
done

for name in "$@"; do
  variable=$(printf %s "$name" | tr 'a-z.-' 'A-Z__')
  printf '%s_%s=' "$project" "$name"
  eval "printf %s \"\$$variable\"" | base64 | tr -d '\n'
  printf '\n'
done | "$tool" deploy --project "$project" --release "$folder/release.json" --secrets
