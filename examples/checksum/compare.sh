#!/bin/sh
# Years later: is FILE still what was sent? SUM is the file that the source has kept, copied here.
set -eu
: "${FILE:=/backup/copy.xbstream}" "${SUM:?the checksum file of the source}"

# Its line names standard input, so that is what it is compared with.
sha1sum --check --quiet "$SUM" < "$FILE"
echo "$FILE is what was sent"
