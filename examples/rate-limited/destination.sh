#!/bin/sh
# Stores one backup.
set -eu
exec xbrecv --listen "${XB_LISTEN:-9999}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" -o "${FILE:-/backup/copy.xbstream}"
