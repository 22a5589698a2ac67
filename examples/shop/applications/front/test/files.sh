#!/bin/sh
# nginx likes its configuration, and every file that the page names is there.
set -eu
nginx -t -q
cd /usr/share/nginx/html
grep -oE '(href|src)="/[a-z]+\.[a-z]+"' index.html | cut -d'"' -f2 | while read -r path; do
    test -s ".$path" || { echo "index.html names $path, which is not there"; exit 1; }
done
echo "front: all files are there"
