#!/bin/sh
# Stores the backup of today, and forgets those that are too old.
set -eu
: "${BACKUPS:=/backup}" "${KEEP_DAYS:=14}"

xbrecv --listen "${XB_LISTEN:-9999}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" --wait "${XB_WAIT:-6h}" \
    -o "$BACKUPS/$(date +%F).xbstream"
# Not before there is a new one.
find "$BACKUPS" -name '????-??-??.xbstream*' -mtime "+$KEEP_DAYS" -delete
