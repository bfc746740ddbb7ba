"""A `.zst` file as xtrabackup writes it: a frame for each write, with a checksum over its content."""

import zstandard


def compress(random, data, level=1):
    frames = []
    position = 0
    while position < len(data):
        length = random.randint(1, 300_000)
        stream = zstandard.ZstdCompressor(level=level, write_checksum=True).compressobj()
        frames.append(stream.compress(data[position : position + length]) + stream.flush())
        if random.random() < 0.2:
            empty = zstandard.ZstdCompressor(level=level, write_checksum=True).compressobj()
            frames.append(empty.compress(b"") + empty.flush())
        position += length
    return b"".join(frames)
