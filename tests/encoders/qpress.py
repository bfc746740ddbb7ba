"""A `.qp` file as xtrabackup and mariabackup write it: a qpress archive of one file."""

import struct
import zlib

import quicklz


def compress(random, name, data, chunk_size=65536):
    """Blocks begin anew with each write, so that there are short ones in the middle."""
    parts = [b"qpress10" + struct.pack("<Q", chunk_size) + b"F" + struct.pack("<I", len(name)) + name.encode() + b"\0"]
    position = 0
    while position < len(data):
        length = random.choice([chunk_size, chunk_size, random.randint(1, chunk_size)])
        packet = quicklz.packet(data[position : position + length])
        parts.append(b"NEWBNEWB" + struct.pack("<QI", position, zlib.adler32(packet)) + packet)
        position += length
    return b"".join(parts) + b"ENDSENDS" + bytes(8)
