#!/bin/sh
# As the official image: /etc/nginx/templates/*.template become files in /etc/nginx/conf.d.
set -e
templates=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
suffix=${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
[ -d "$templates" ] || exit 0
defined=$(printf '${%s} ' $(awk "END { for (name in ENVIRON) if (name ~ /${NGINX_ENVSUBST_FILTER:-}/) print name }" </dev/null))
find "$templates" -follow -type f -name "*$suffix" -print | while read -r template; do
    relative=${template#"$templates/"}
    target=$output/${relative%"$suffix"}
    mkdir -p "$(dirname "$target")"
    envsubst "$defined" < "$template" > "$target"
done
