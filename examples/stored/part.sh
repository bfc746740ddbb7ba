#!/bin/sh
# Unpacks a part of the stored backup, and checks the files.
set -eu
: "${FILE:=/backup/copy.xbstream}" "${TARGET:=/restore/part}" "${ONLY:=shop/orders.*}"

xbrecv --extract -C "$TARGET" --from "$FILE" --decompress --only "$ONLY" --manifest "$TARGET.sha1"
cd "$TARGET"
sha1sum --check "$TARGET.sha1"
