"""QuickLZ 1.5 packets of level 1 without history, made in the simplest way that uses all of the format."""

import struct

HASHED = 3
LAST_LITERALS = 4
LAST_MATCH = 10
ITEMS = 31


def hashed(data, at):
    value = data[at] | data[at + 1] << 8 | data[at + 2] << 16
    return (value >> 12 ^ value) & 0xFFF


class Body:
    """Items behind control words."""

    def __init__(self):
        self.out = bytearray()
        self.bits = []
        self.control_at = None

    def add(self, bit, item):
        if len(self.bits) == ITEMS or self.control_at is None:
            self.close()
            self.control_at = len(self.out)
            self.out += bytes(4)
        self.bits.append(bit)
        self.out += item

    def close(self):
        """Sets the control word: a bit for each item, and a one in the highest place."""
        if self.control_at is not None:
            word = 1 << 31 | sum(bit << place for place, bit in enumerate(self.bits))
            struct.pack_into("<I", self.out, self.control_at, word)
        self.bits = []


def match_length(data, start, at):
    limit = min(255, len(data) - LAST_LITERALS - at)
    length = 0
    while length < limit and data[start + length] == data[at + length]:
        length += 1
    return length


def match_item(code, length):
    if length <= 17:
        return struct.pack("<H", code << 4 | length - 2)
    return struct.pack("<HB", code << 4, length)


def body(data):
    """The decoder learns of a position when it knows three bytes there, of those inside a match never."""
    out, table, at, known = Body(), {}, 0, 0
    while at < len(data):
        while known + HASHED <= at:
            table[hashed(data, known)] = known
            known += 1
        start = table.get(hashed(data, at)) if at + LAST_MATCH < len(data) else None
        length = match_length(data, start, at) if start is not None else 0
        if length < HASHED:
            out.add(0, data[at : at + 1])
            at += 1
            continue
        out.add(1, match_item(hashed(data, at), length))
        while known <= at:
            table[hashed(data, known)] = known
            known += 1
        at += length
        known = at
    out.close()
    return bytes(out.out)


def packet(data):
    """Compressed if that makes it shorter, otherwise stored; a short header below 216 bytes, as QuickLZ does."""
    compressed = body(data).ljust(9, b"\0")
    flags, content = (0x45, compressed) if len(compressed) < len(data) else (0x44, data)
    if len(data) < 216:
        return bytes([flags, len(content) + 3, len(data)]) + content
    return bytes([flags | 2]) + struct.pack("<II", len(content) + 9, len(data)) + content
