#!/bin/sh
# Stores the next backup of the chain. Names have to sort in order of time.
set -eu
: "${CHAIN:=/backup/chain}" "${NAME:=$(date -u +%F-%H%M%S)}"
exec xbrecv --listen "${XB_LISTEN:-9999}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" -o "$CHAIN/$NAME.xbstream"
