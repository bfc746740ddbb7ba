"""The xbstream container: chunks of files, one after the other."""

import struct
import zlib

MAGIC = b"XBSTCK01"


def head(kind, path):
    return MAGIC + bytes([0]) + kind + struct.pack("<I", len(path)) + path.encode()


def payload(path, offset, data):
    return head(b"P", path) + struct.pack("<QQI", len(data), offset, zlib.crc32(data)) + data


def sparse(path, offset, runs):
    """Runs of (length of the hole before, data), as Percona writes page-compressed tables."""
    data = b"".join(data for _, data in runs)
    table = b"".join(struct.pack("<II", skip, len(data)) for skip, data in runs)
    crc = zlib.crc32(data, zlib.crc32(table))
    return head(b"S", path) + struct.pack("<IQQI", len(runs), len(data), offset, crc) + table + data


def end(path):
    return head(b"E", path)
