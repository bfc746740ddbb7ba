#!/bin/sh
# On the backup host: hands a stored backup to the host that comes for it.
set -eu
exec xbsend --listen "${XB_LISTEN:-3307}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" --wait "${XB_WAIT:-1h}" \
    -i "${FILE:-/backup/copy.xbstream}"
