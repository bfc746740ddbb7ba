#!/bin/sh
# Sends a backup, and keeps the checksum that the receiver has confirmed.
set -eu
: "${SUM:=/var/lib/xb/$(date -u +%F-%H%M%S).sha1}"

exec xbsend --key-file "${XB_KEY_FILE:-/etc/xb/key}" --checksum-file "$SUM" "${XB_TO:-desthost:9999}" -- \
    "${TOOL:-mariadb-backup}" --backup --stream=xbstream
