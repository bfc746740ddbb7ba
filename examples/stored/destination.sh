#!/bin/sh
# Stores a backup, reads it again from the disk, and keeps a list of what is in it.
set -eu
: "${FILE:=/backup/copy.xbstream}"

xbrecv --listen "${XB_LISTEN:-9999}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" -o "$FILE"
xbrecv --verify --from "$FILE"
xbrecv --list --from "$FILE" > "$FILE.list"
