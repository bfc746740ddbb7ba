#!/bin/sh
# Waits for a backup, unpacks it and prepares it. TARGET must be empty, or not exist yet.
set -eu
: "${TARGET:=/var/lib/mysql}" "${OWNER:=mysql:mysql}" "${TOOL:=mariadb-backup}"

xbrecv --listen "${XB_LISTEN:-9999}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" --extract -C "$TARGET"
# Only a backup that is whole, verified and synced gets here.
"$TOOL" --prepare --target-dir="$TARGET"
chown -R "$OWNER" "$TARGET"
