#!/bin/sh
# Fetches a stored backup, unpacks it, prepares it and gives it to the server. TARGET must be empty, or not exist yet.
set -eu
exec xbrecv --connect "${XB_CONNECT:-backuphost:3307}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" \
    --extract -C "${TARGET:-/var/lib/mysql}" --decompress --prepare --owner "${OWNER:-mysql:mysql}"
