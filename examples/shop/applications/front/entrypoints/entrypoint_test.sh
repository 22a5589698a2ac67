#!/bin/sh
# The tests of the files, in the very image.
set -eu
exec sh /test/files.sh
