#!/bin/sh
# The tests of the articles, in the very image.
set -eu
exec sh /test/articles.sh
