#!/bin/sh
# The whole on the server alone: starts the receiver on the central host over ssh, and stores the backup of tonight there.
set -eu
exec xbsend --ssh "${CENTRAL:-backup@desthost}" --ssh-command 'ssh -o BatchMode=yes' -o "${BACKUPS:-/backup}/$(date +%F).xbstream" -- \
    "${TOOL:-mariadb-backup}" --backup --stream=xbstream
