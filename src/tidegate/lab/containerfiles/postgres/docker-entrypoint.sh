#!/bin/bash
# As the official image (https://hub.docker.com/_/postgres): an empty PGDATA is initialised with
# POSTGRES_USER, _PASSWORD, _DB, _INITDB_ARGS and _HOST_AUTH_METHOD (or their _FILE), then
# /docker-entrypoint-initdb.d runs against a server that listens on its unix socket only.
set -Eeo pipefail

file_env() {
    local name=$1 file="${1}_FILE" default=${2:-}
    if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
        echo >&2 "error: both $name and $file are set (but are exclusive)"
        exit 1
    fi
    local value=$default
    if [ -n "${!name:-}" ]; then
        value=${!name}
    elif [ -n "${!file:-}" ]; then
        value=$(< "${!file}")
    fi
    export "$name"="$value"
    unset "$file"
}

setup_env() {
    file_env POSTGRES_PASSWORD
    file_env POSTGRES_USER postgres
    file_env POSTGRES_DB "$POSTGRES_USER"
    file_env POSTGRES_INITDB_ARGS
    : "${POSTGRES_HOST_AUTH_METHOD:=}"
}

verify_settings() {
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
        cat >&2 <<'END'
Error: Database is uninitialized and superuser password is not specified.
       You must specify POSTGRES_PASSWORD to a non-empty value for the
       superuser. For example, "-e POSTGRES_PASSWORD=password" on "docker run".

       You may also use "POSTGRES_HOST_AUTH_METHOD=trust" to allow all
       connections without a password. This is *not* recommended.
END
        exit 1
    fi
}

init_database() {
    if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
        set -- --waldir "$POSTGRES_INITDB_WALDIR" "$@"
    fi
    eval 'initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"' "$@"'
    {
        printf '\n'
        [ "$POSTGRES_HOST_AUTH_METHOD" = trust ] && printf '# warning trust is enabled\n'
        printf 'host all all all %s\n' \
            "${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption)}"
    } >> "$PGDATA/pg_hba.conf"
}

process_sql() {
    PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" \
        --no-password --dbname "$POSTGRES_DB" "$@"
}

setup_db() {
    local found
    found=$(POSTGRES_DB=postgres process_sql --dbname postgres --set db="$POSTGRES_DB" \
        --tuples-only <<< "SELECT 1 FROM pg_database WHERE datname = :'db' ;")
    if [ -z "$found" ]; then
        POSTGRES_DB=postgres process_sql --dbname postgres --set db="$POSTGRES_DB" \
            <<< 'CREATE DATABASE :"db" ;'
    fi
}

run_init_files() {
    local file
    for file; do
        echo "$0: running $file"
        case "$file" in
            *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
            *.sql) process_sql -f "$file" ;;
            *.sql.gz) gunzip -c "$file" | process_sql ;;
            *.sql.xz) xzcat "$file" | process_sql ;;
            *.sql.zst) zstd -dc "$file" | process_sql ;;
            *) echo "$0: ignoring $file" ;;
        esac
    done
}

initialise() {
    verify_settings
    init_database
    export PGPASSWORD="${PGPASSWORD:-$POSTGRES_PASSWORD}"
    pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p ${PGPORT:-5432}" -w start
    setup_db
    shopt -s nullglob
    run_init_files /docker-entrypoint-initdb.d/*
    pg_ctl -D "$PGDATA" -m fast -w stop
    unset PGPASSWORD
    printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

create_directories() {
    mkdir -p "$PGDATA"
    chmod 00700 "$PGDATA" || :
    mkdir -p /var/run/postgresql || :
    chmod 03775 /var/run/postgresql || :
    if [ "$(id -u)" = 0 ]; then
        find "$PGDATA" \! -user postgres -exec chown postgres '{}' +
        find /var/run/postgresql \! -user postgres -exec chown postgres '{}' +
    fi
}

if [ "${1:0:1}" = - ]; then
    set -- postgres "$@"
fi
if [ "$1" = postgres ]; then
    setup_env
    create_directories
    if [ "$(id -u)" = 0 ]; then
        exec gosu postgres "$BASH_SOURCE" "$@"
    fi
    if [ -s "$PGDATA/PG_VERSION" ]; then
        printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
    else
        initialise
    fi
fi
exec "$@"
