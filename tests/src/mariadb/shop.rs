//! A shop: many tables of every kind, and what they hold.

use std::collections::BTreeMap;

use super::MariaDb;
use crate::Scene;

/// The kinds of tables there are, by the end of their `CREATE TABLE`. A CSV table has neither keys nor nulls.
pub(super) const KINDS: [(&str, &str, &str); 9] = [
    ("inno", "PRIMARY KEY", "ENGINE=InnoDB"),
    ("packed", "PRIMARY KEY", "ENGINE=InnoDB ROW_FORMAT=COMPRESSED"),
    ("paged", "PRIMARY KEY", "ENGINE=InnoDB PAGE_COMPRESSED=1"),
    ("parted", "PRIMARY KEY", "ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 3"),
    ("aria", "PRIMARY KEY", "ENGINE=Aria TRANSACTIONAL=1"),
    ("loose", "PRIMARY KEY", "ENGINE=Aria TRANSACTIONAL=0"),
    ("isam", "PRIMARY KEY", "ENGINE=MyISAM"),
    ("isamp", "PRIMARY KEY", "ENGINE=MyISAM PARTITION BY HASH (id) PARTITIONS 3"),
    ("csv", "", "ENGINE=CSV"),
];

/// Tables of each kind: several hundred in all.
pub(super) const TABLES: usize = 36;

/// Tables of each kind that are there to be changed.
pub(super) const POOL: usize = 50;

/// Row count and checksum of every table of the shop.
pub fn fingerprints(scene: &Scene, server: &MariaDb) -> BTreeMap<String, String> {
    let tables = server.run(
        scene,
        "SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables \
        WHERE table_schema IN ('shop', 'moves') ORDER BY 1;",
    );
    let queries = tables.iter().map(|table| {
        let (schema, name) = table.split_once('.').expect("schema and name");
        format!("CHECKSUM TABLE `{schema}`.`{name}`; SELECT COUNT(*) FROM `{schema}`.`{name}`;")
    });
    let lines = server.run(scene, &queries.collect::<Vec<_>>().join("\n"));
    assert_eq!(lines.len(), 2 * tables.len());
    tables.into_iter().zip(lines.chunks(2)).map(|(table, two)| (table, two.join(" rows "))).collect()
}

/// Several hundred tables with a few thousand rows each.
pub fn fill(scene: &Scene, server: &MariaDb) {
    let mut statements = String::from("SET sql_log_bin = 0; CREATE DATABASE shop; CREATE DATABASE moves; USE shop;\n");
    for (kind, key, options) in KINDS {
        for n in 0..TABLES {
            let rows = if n % 6 == 0 { 3_000 } else { 100 * (n % 6) };
            statements += &format!(
                "CREATE TABLE {kind}{n} (id INT NOT NULL {key}, words VARCHAR(200) NOT NULL, at BIGINT NOT NULL) {options};\n\
                 INSERT INTO {kind}{n} SELECT seq, REPEAT(MD5(seq * {n}), 3), seq * 7 FROM seq_1_to_{};\n",
                rows + 1
            );
        }
    }
    for (kind, key, options) in KINDS.iter().take(KINDS.len() - 1) {
        for n in 0..POOL {
            statements += &format!(
                "CREATE TABLE moves.{kind}{n} (id INT NOT NULL {key}, words VARCHAR(100)) {options};\n\
                 INSERT INTO moves.{kind}{n} SELECT seq, MD5(seq) FROM seq_1_to_100;\n"
            );
        }
    }
    server.run(scene, &statements);
}

/// How many tables a shop has at least.
pub fn tables() -> usize {
    KINDS.len() * TABLES
}
