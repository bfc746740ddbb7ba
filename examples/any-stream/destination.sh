#!/bin/sh
# Unpacks whatever directory is sent.
set -eu
: "${TARGET:=/srv/copy}"

mkdir "$TARGET"
exec xbrecv --listen "${XB_LISTEN:-9999}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" -- tar -C "$TARGET" -xf -
