#!/bin/sh
# Unpacks all streams of one backup into one directory, with THREADS threads. TARGET must be empty, or not exist yet.
set -eu
exec xbrecv --listen "${XB_LISTEN:-9999}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" \
    --extract -C "${TARGET:-/var/lib/mysql}" --decompress --parallel "${THREADS:-$(nproc)}" --window "${XB_WINDOW:-128m}"
