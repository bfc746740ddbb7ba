#!/bin/sh
# Waits for a backup, unpacks it, prepares it and gives it to the server. TARGET must be empty, or not exist yet.
set -eu
exec xbrecv --listen "${XB_LISTEN:-9999}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" \
    --extract -C "${TARGET:-/var/lib/mysql}" --prepare --owner "${OWNER:-mysql:mysql}"
