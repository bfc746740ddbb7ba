#!/bin/sh
# Makes a data directory of the chain: the full backup, and what was changed since, oldest first.
set -eu
: "${CHAIN:=/backup/chain}" "${TARGET:=/restore/mysql}" "${TOOL:=mariadb-backup}"

for stream in "$CHAIN"/*.xbstream; do
    if [ ! -e "$TARGET" ]; then
        xbrecv --extract -C "$TARGET" --from "$stream"
        "$TOOL" --prepare --target-dir="$TARGET"
    else
        xbrecv --extract -C "$TARGET.next" --from "$stream"
        "$TOOL" --prepare --target-dir="$TARGET" --incremental-dir="$TARGET.next"
        rm -r "$TARGET.next"
    fi
done
