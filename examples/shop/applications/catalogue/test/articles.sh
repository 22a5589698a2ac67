#!/bin/sh
# Every line has an id of its own, a name and a price in whole cents.
set -eu
awk -F, '
NR == 1 { if ($0 != "id,name,cents") { print "wrong columns: " $0; bad = 1 } next }
NF != 3 || $1 !~ /^[a-z0-9-]+$/ || $2 == "" || $3 !~ /^[0-9]+$/ { print NR ": " $0; bad = 1 }
seen[$1]++ { print NR ": " $1 " is there twice"; bad = 1 }
END { if (NR < 2) { print "nothing is sold"; bad = 1 } exit bad }
' /bundle/articles.csv
echo "catalogue: every article is right"
