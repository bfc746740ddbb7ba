"""Chunks as xtrabackup encrypts them, in the three versions of the format."""

import hashlib
import struct
import zlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_LENGTHS = {"AES128": 16, "AES192": 24, "AES256": 32}


def aes_ctr(key, counter, data):
    encryptor = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def chunk(version, key, iv, data):
    """Version 1 has no IV; version 2 stores one, but counts from zero; version 3 counts from it and hashes the data."""
    if version == 3:
        data += hashlib.sha256(data).digest()
    encrypted = aes_ctr(key, iv if version == 3 else bytes(16), data)
    header = b"XBCRYP0%d" % version + struct.pack("<QQQI", 0, len(data), len(encrypted), zlib.crc32(encrypted))
    if version > 1:
        header += struct.pack("<Q", len(iv)) + iv
    return header + encrypted


def encrypt(random, version, key, data, chunk_size=65536):
    """A file as `ds_encrypt` writes it: whole chunks, short ones amid them where a write ended, an empty one."""
    chunks = []
    position = 0
    while position < len(data):
        length = random.choice([chunk_size, chunk_size, chunk_size, random.randint(1, chunk_size), 0])
        chunks.append(chunk(version, key, random.randbytes(16), data[position : position + length]))
        position += length
    return b"".join(chunks)
