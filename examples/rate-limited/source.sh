#!/bin/sh
# Sends a backup at no more than RATE, after a look whether it would get there at all. rate.sh changes the rate while it runs.
set -eu
: "${RATE:=10m}" "${DATADIR:=/var/lib/mysql}" "${TOOL:=mariadb-backup}"
: "${XB_TO:=desthost:9999}" "${XB_KEY_FILE:=/etc/xb/key}" "${SOCKET:=/run/xb/send}"

# The backup is about as large as what it is a backup of.
size=$(du -sb "$DATADIR" | cut -f1)
xbsend --key-file "$XB_KEY_FILE" --size "$size" --check "$XB_TO"
exec xbsend --key-file "$XB_KEY_FILE" --size "$size" --rate-limit "$RATE" --control-socket "$SOCKET" "$XB_TO" -- \
    "$TOOL" --backup --stream=xbstream
