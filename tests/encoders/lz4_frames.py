"""A `.lz4` file as xtrabackup writes it: a frame for each write, its chunks being the blocks."""

import struct

import lz4.block

MASK = 0xFFFFFFFF
PRIMES = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1)


def rotate(value, bits):
    return ((value << bits) | (value >> (32 - bits))) & MASK


def xxh32(data):
    """XXH32 with seed 0."""
    p1, p2, p3, p4, p5 = PRIMES
    whole = len(data) // 16 * 16
    if whole:
        lanes = [(p1 + p2) & MASK, p2, 0, -p1 & MASK]
        for words in struct.iter_unpack("<4I", data[:whole]):
            lanes = [rotate((lane + word * p2) & MASK, 13) * p1 & MASK for lane, word in zip(lanes, words)]
        total = sum(rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & MASK
    else:
        total = p5
    total = (total + len(data)) & MASK
    rest = data[whole:]
    for at in range(0, len(rest) // 4 * 4, 4):
        total = rotate((total + struct.unpack_from("<I", rest, at)[0] * p3) & MASK, 17) * p4 & MASK
    for byte in rest[len(rest) // 4 * 4 :]:
        total = rotate((total + byte * p5) & MASK, 11) * p1 & MASK
    total = (total ^ (total >> 15)) * p2 & MASK
    total = (total ^ (total >> 13)) * p3 & MASK
    return total ^ (total >> 16)


def block_code(chunk_size):
    """xtrabackup's choice of the declared block size, with its slip above 1 MiB."""
    for code, limit in ((4, 64 << 10), (5, 256 << 10), (6, 1204 << 10)):
        if chunk_size <= limit:
            return code
    return 7


def frame(data, chunk_size):
    """Version 1, independent blocks, length and checksum of the content."""
    descriptor = bytes([0x6C, block_code(chunk_size) << 4]) + struct.pack("<Q", len(data))
    header = struct.pack("<I", 0x184D2204) + descriptor + bytes([xxh32(descriptor) >> 8 & 0xFF])
    blocks = []
    for position in range(0, len(data), chunk_size):
        block = data[position : position + chunk_size]
        compressed = lz4.block.compress(block, store_size=False)
        if len(compressed) >= chunk_size:
            blocks.append(struct.pack("<I", len(block) | 1 << 31) + block)
        else:
            blocks.append(struct.pack("<I", len(compressed)) + compressed)
    return header + b"".join(blocks) + struct.pack("<II", 0, xxh32(data))


def compress(random, data, chunk_size=65536):
    frames = []
    position = 0
    while position < len(data):
        length = random.randint(1, max(300_000, 2 * chunk_size))
        frames.append(frame(data[position : position + length], chunk_size))
        position += length
    return b"".join(frames)
