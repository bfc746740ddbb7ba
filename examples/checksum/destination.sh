#!/bin/sh
# Stores a backup as FILE, with its checksum in FILE.sha1, and reads it once more from the disk.
set -eu
: "${FILE:=/backup/copy.xbstream}"

xbrecv --listen "${XB_LISTEN:-9999}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" -o "$FILE"
cd "$(dirname "$FILE")" # FILE.sha1 names its file without a folder
sha1sum --check "$(basename "$FILE").sha1"
