#!/bin/sh
# The tests of the files, in the very image.
set -eu
exec sh /front/test/files.sh
