#!/bin/sh
# Waits for new replicas, and makes a backup for whichever comes, one after the other, until it is ended.
set -eu
[ -n "${XB_KEY:-}" ] || export XB_KEY_FILE="${XB_KEY_FILE:-/etc/xb/key}" # a file would win

exec xbsend --listen "${XB_LISTEN:-3307}" --times 0 -- "${TOOL:-mariadb-backup}" --backup --stream=xbstream --slave-info
