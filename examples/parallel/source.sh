#!/bin/sh
# Backs up this server in STREAMS streams, each of which has a FIFO of xtrabackup.
set -eu
: "${STREAMS:=4}"

exec xbsend --key-file "${XB_KEY_FILE:-/etc/xb/key}" --fifo-streams "$STREAMS" "${XB_TO:-desthost:9999}" -- \
    xtrabackup --backup --stream=xbstream --parallel="$STREAMS"
