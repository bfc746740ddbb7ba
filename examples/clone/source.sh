#!/bin/sh
# Waits for new replicas, and makes a backup for whichever comes, one after the other, until it is ended.
set -eu
exec xbsend --listen "${XB_LISTEN:-3307}" --times 0 --key-file "${XB_KEY_FILE:-/etc/xb/key}" -- \
    "${TOOL:-mariadb-backup}" --backup --stream=xbstream --slave-info
