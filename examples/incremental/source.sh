#!/bin/sh
# Sends what has changed since the last confirmed backup; the first time, everything.
set -eu
: "${RECEIPTS:=/var/lib/xb}" "${TOOL:=mariadb-backup}"

last=$RECEIPTS/last.json new=$RECEIPTS/new.json
set -- --backup --stream=xbstream
if [ -e "$last" ]; then
    since=$(jq -e .backup.to_lsn "$last")
    set -- "$@" --incremental-lsn="$since"
fi
rm -f "$new" # of a run that was killed between the next two commands
xbsend --key-file "${XB_KEY_FILE:-/etc/xb/key}" --receipt "$new" "${XB_TO:-desthost:9999}" -- "$TOOL" "$@"
mv "$new" "$last"
