"""The files of a made-up backup."""

PAGE = 16384


def rows(random, length):
    """Compressible, as tables are."""
    words = [b"alpha", b"beta", b"gamma", b"delta", b"\0\0\0\0", b"x" * 40]
    out = bytearray()
    while len(out) < length:
        out += b"%06d" % random.randint(0, 999999) + random.choice(words) * random.randint(1, 4)
    return bytes(out[:length])


def table(random, pages):
    """Pages with rows, pages of zero, pages without any pattern."""
    kinds = [lambda: rows(random, PAGE), lambda: bytes(PAGE), lambda: random.randbytes(PAGE)]
    return b"".join(random.choices(kinds, [5, 2, 1])[0]() for _ in range(pages))


def files(random):
    """By name. Those that close every backup of Percona's tool are among them."""
    return {
        "xtrabackup_logfile": rows(random, 70_001),
        "ibdata1": table(random, 100),
        "mysql.ibd": table(random, 12),
        "sales/orders.ibd": table(random, 30),
        "sales/empty.CSV": b"",
        "sales/one.CSV": b"1",
        "sales/random.ibd": random.randbytes(150_000),
        "sales/zero.ibd": bytes(500_000),
        "a.xbcrypt/b.zst.ibd": rows(random, 5000),
        "backup-my.cnf": b"[mysqld]\nserver_uuid=%032x\n" % random.getrandbits(128),
        "xtrabackup_checkpoints": b"backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 1\nlast_lsn = 1\n",
        "xtrabackup_info": b"uuid = %032x\ntool_name = xtrabackup\n" % random.getrandbits(128),
        "xtrabackup_tablespaces": b"{}",
    }


def sparse_runs(random):
    """Holes between data, behind it, and none before the first."""
    runs = [(0, rows(random, 20_000))]
    runs += [(random.randint(1, 60_000), rows(random, random.randint(1, 30_000))) for _ in range(8)]
    return runs + [(40_000, b"")]
