#!/usr/bin/env python3
"""Writes backups as Percona's and MariaDB's tools make them, each with the files that must come of it.

    make.py OUTDIR [SEED]

Each backup is a folder of OUTDIR: `stream.xbstream`; `tree/`, the original files; where it is encrypted `cipher`, such as
AES256, and `key`, the key as it is. The same seed gives the same bytes. Needs the packages cryptography, lz4 and zstandard.
"""

import os
import random
import sys

import contents
import lz4_frames
import qpress
import xbcrypt
import xbstream
import zstd_frames

# What xtrabackup leaves as it is, whatever it is told.
ALWAYS_PLAIN = {"xtrabackup_checkpoints"}


class Backup:
    """A stream in the making, and its tree."""

    def __init__(self, outdir, name, seed):
        self.folder = os.path.join(outdir, name)
        self.random = random.Random(f"{seed} {name}")
        self.tree = {}
        self.chunks = []

    def add(self, name, data, stored_as=None, stored=None):
        """A file, in the stream under a name and with bytes of its own if it is compressed or encrypted."""
        stored = data if stored is None else stored
        stored_as = stored_as or name
        self.tree[name] = data
        chunks = []
        position = 0
        while position < len(stored):
            length = self.random.randint(1, 120_000)
            chunks.append(xbstream.payload(stored_as, position, stored[position : position + length]))
            position += length
        self.chunks.append(chunks + [xbstream.end(stored_as)])

    def add_sparse(self, name, runs):
        """A file in two sparse chunks and an ordinary one between them."""
        middle = contents.rows(self.random, 10_000)
        plain = [b"".join(bytes(skip) + data for skip, data in part) for part in (runs[:4], runs[4:])]
        chunks = [
            xbstream.sparse(name, 0, runs[:4]),
            xbstream.payload(name, len(plain[0]), middle),
            xbstream.sparse(name, len(plain[0]) + len(middle), runs[4:]),
            xbstream.end(name),
        ]
        self.tree[name] = plain[0] + middle + plain[1]
        self.chunks.append(chunks)

    def stream(self):
        """The chunks of all files: now of one, now of another, those of each in order."""
        waiting = [list(chunks) for chunks in self.chunks]
        out = []
        while waiting:
            # Few at a time are open, as with --parallel.
            chunks = waiting[self.random.randrange(min(3, len(waiting)))]
            out.append(chunks.pop(0))
            waiting = [chunks for chunks in waiting if chunks]
        return b"".join(out)

    def write(self, **settings):
        write(os.path.join(self.folder, "stream.xbstream"), self.stream())
        for name, data in self.tree.items():
            write(os.path.join(self.folder, "tree", name), data)
        for name, value in settings.items():
            write(os.path.join(self.folder, name), value)


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def compressed(backup, kind, name, data):
    """The suffix, and the file in this format."""
    chunk_size = backup.random.choice([65536, 65536, 8192, 256 << 10, 1100 << 10])
    if kind == "zst":
        return ".zst", zstd_frames.compress(backup.random, data, backup.random.choice([1, 1, 3, 19]))
    if kind == "lz4":
        return ".lz4", lz4_frames.compress(backup.random, data, chunk_size)
    if kind == "qp":
        return ".qp", qpress.compress(backup.random, os.path.basename(name), data)
    return "", data


def add_all(backup, kinds, version=None, key=None):
    """All files, compressed in any of these ways and encrypted if there is a key."""
    for name, data in contents.files(backup.random).items():
        suffix, stored = "", data
        if name not in ALWAYS_PLAIN:
            suffix, stored = compressed(backup, backup.random.choice(kinds), name, data)
            if key is not None:
                suffix, stored = suffix + ".xbcrypt", xbcrypt.encrypt(backup.random, version, key, stored)
        backup.add(name, data, name + suffix, stored)


def plain(outdir, name, seed, kinds):
    backup = Backup(outdir, name, seed)
    add_all(backup, kinds)
    if "sparse" in name or "mixed" in name:
        backup.add_sparse("sales/pages.ibd", contents.sparse_runs(backup.random))
    backup.write()


def encrypted(outdir, name, seed, kinds, version, cipher):
    backup = Backup(outdir, name, seed)
    key = backup.random.randbytes(xbcrypt.KEY_LENGTHS[cipher])
    add_all(backup, kinds, version, key)
    backup.write(cipher=cipher.encode(), key=key)


def main(outdir, seed="1"):
    plain(outdir, "sparse", seed, [None])
    for kind in ("zst", "lz4", "qp"):
        plain(outdir, kind, seed, [kind])
        encrypted(outdir, f"{kind}-xbcrypt", seed, [kind], 3, "AES256")
    plain(outdir, "mixed", seed, ["zst", "lz4", "qp", None])
    encrypted(outdir, "xbcrypt-mixed", seed, ["zst", "lz4", "qp", None], 3, "AES128")
    for version in (1, 2, 3):
        for cipher in xbcrypt.KEY_LENGTHS:
            encrypted(outdir, f"xbcrypt{version}-{cipher}", seed, [None], version, cipher)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
