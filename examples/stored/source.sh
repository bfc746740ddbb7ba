#!/bin/sh
# Backs up this server.
set -eu
exec xbsend --key-file "${XB_KEY_FILE:-/etc/xb/key}" "${XB_TO:-desthost:9999}" -- \
    "${TOOL:-mariadb-backup}" --backup --stream=xbstream
