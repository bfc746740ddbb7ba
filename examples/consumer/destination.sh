#!/bin/sh
# Encrypts a backup as it arrives. No byte of it is on this disk in the clear.
set -eu
: "${FILE:=/backup/copy.xbstream.gpg}" "${RECIPIENT:=backup@example.com}"

if [ -e "$FILE" ] || [ -e "$FILE.partial" ]; then
    echo "$FILE or $FILE.partial exists already" >&2
    exit 7
fi

xbrecv --listen "${XB_LISTEN:-9999}" --key-file "${XB_KEY_FILE:-/etc/xb/key}" -- \
    gpg --batch --encrypt --recipient "$RECIPIENT" --output "$FILE.partial" || {
    code=$?
    rm -f "$FILE.partial"
    exit "$code"
}
# gpg has ended with 0, and both sides have the same checksum.
sync "$FILE.partial"
ln "$FILE.partial" "$FILE" # unlike mv -n, this fails when somebody has taken the name meanwhile
rm "$FILE.partial"
