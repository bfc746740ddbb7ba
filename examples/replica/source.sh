#!/bin/sh
# Backs up this server onto the new replica.
set -eu
: "${TOOL:=mariadb-backup}"

exec xbsend --key-file "${XB_KEY_FILE:-/etc/xb/key}" "${XB_TO:-desthost:9999}" -- \
    "$TOOL" --backup --stream=xbstream --slave-info
