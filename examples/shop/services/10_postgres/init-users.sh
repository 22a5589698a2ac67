#!/bin/sh
# Runs once, in an empty database: makes the users of users.csv, each with the password that its
# variable holds. owner: makes the tables; write: reads and changes rows; read: reads them.
set -eu

make_user() { # NAME PASSWORD_VARIABLE RIGHTS
    case "$3" in
    owner) grant='ALTER DATABASE :"database" OWNER TO :"name";' ;;
    write) grant='ALTER DEFAULT PRIVILEGES FOR ROLE api GRANT SELECT, UPDATE ON TABLES TO :"name";' ;;
    read) grant='ALTER DEFAULT PRIVILEGES FOR ROLE api GRANT SELECT ON TABLES TO :"name";' ;;
    *) echo "users.csv: $1 has the rights '$3', which are none" >&2 && return 1 ;;
    esac
    if [ -z "$(printenv "$2")" ]; then
        echo "users.csv: $1 needs $2, which has no value" >&2
        return 1
    fi
    psql --quiet --no-psqlrc -v ON_ERROR_STOP=1 -v name="$1" -v database="$POSTGRES_DB" \
        --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<END
\\getenv password $2
CREATE ROLE :"name" LOGIN PASSWORD :'password';
$grant
END
}

tail -n +2 /etc/shop/users.csv | while IFS=, read -r name variable rights || [ -n "$name" ]; do
    make_user "$name" "$variable" "$rights"
    echo "user $name: $rights"
done
