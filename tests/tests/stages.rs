//! What other programs compressed and encrypted, undone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use xbproto::stage::{Chain, Decompress, FileKey, Stages};
use xbproto::xbstream::{Decoder, Item, Limits, SparseRun, StreamPath};
use xbtests::{Encoded, MariaDb, Output, Scene};

#[test]
fn files_that_others_encoded_are_undone() {
    let scene = Scene::new();
    let Some(backups) = Encoded::make_all("files_that_others_encoded_are_undone", &scene.path("made")) else { return };
    assert!(backups.len() >= 15, "{} backups", backups.len());
    for backup in backups {
        let undone = Undone::of(&fs::read(&backup.stream).expect("a stream"), &stages(&backup));
        for (name, content) in &undone.files {
            let expected = fs::read(backup.tree.join(name)).expect("an original");
            assert!(*content == expected, "{}: {name} differs", backup.name);
        }
        assert_eq!(undone.files.len(), count_files(&backup.tree), "{}", backup.name);
        let has_stages = undone.suffixes.iter().any(|suffix| backup.name.contains(&suffix[1..]));
        assert!(has_stages || backup.name == "sparse" || backup.name == "mixed", "{}", backup.name);
    }
}

/// A backup with `--compress`, unpacked here, is what one without it is, where the server has nothing to write.
#[test]
fn files_of_mariadb_backup_are_unpacked() {
    if !MariaDb::is_installed("files_of_mariadb_backup_are_unpacked") {
        return;
    }
    let scene = Scene::new();
    let server = MariaDb::create(&scene, "server");
    server.run(
        &scene,
        "CREATE DATABASE shop; USE shop; CREATE TABLE shop.a (id INT PRIMARY KEY, words TEXT) ENGINE=MyISAM; \
        CREATE TABLE shop.b (id INT, words VARCHAR(3000)) ENGINE=Aria TRANSACTIONAL=0; \
        INSERT INTO shop.a SELECT seq, REPEAT(MD5(seq), 1 + seq % 20) FROM seq_1_to_9000; \
        INSERT INTO shop.b SELECT seq, RANDOM_BYTES(1500) FROM seq_1_to_900; FLUSH TABLES;",
    );
    let unpacked = back_up(&scene, &server, ["--compress"]);
    let plain = back_up(&scene, &server, [""; 0]);
    assert_eq!(unpacked.suffixes, BTreeSet::from([".qp"]));
    assert!(plain.suffixes.is_empty());
    assert_eq!(unpacked.files.keys().collect::<Vec<_>>(), plain.files.keys().collect::<Vec<_>>());
    let at_rest = |name: &str| name.starts_with("shop/") || name.starts_with("performance_schema/");
    let compared = plain.files.iter().filter(|(name, _)| at_rest(name));
    let differing: Vec<_> = compared.clone().filter(|(name, content)| unpacked.files[*name] != **content).collect();
    assert!(compared.count() >= 6 && differing.is_empty(), "{:?}", differing.iter().map(|(name, _)| name));
    server.stop();
}

fn back_up<const N: usize>(scene: &Scene, server: &MariaDb, options: [&str; N]) -> Undone {
    let (stream, target) = (scene.path("stream"), format!("--target-dir={}", scene.path("target").display()));
    let tool = scene.program("mariadb-backup", "mariadb-backup").args(["--no-defaults", "--backup", "--user=root"]);
    let tool = tool.args(["--stream=xbstream", &server.socket_option(), &target]).args(options);
    let tool = tool.output(Output::Open(fs::File::create(&stream).expect("a file").into()));
    assert_eq!(tool.start().wait().code, 0, "the backup failed");
    let stages = Stages { decompress: Decompress::Yes, decrypt: None };
    Undone::of(&fs::read(&stream).expect("a stream"), &stages)
}

fn stages(backup: &Encoded) -> Stages {
    let key = backup.encryption.as_ref().map(|encryption| {
        let cipher = encryption.cipher.parse().expect("a cipher");
        Arc::new(FileKey::new(cipher, &fs::read(&encryption.key_file).expect("a key")).expect("its length"))
    });
    Stages { decompress: Decompress::Yes, decrypt: key }
}

fn count_files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    entries.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}

/// The files of a stream, in memory, and the suffixes that some of them lost.
#[derive(Default)]
struct Undone {
    files: BTreeMap<String, Vec<u8>>,
    suffixes: BTreeSet<&'static str>,
}

/// A file that is not complete yet.
struct Open {
    name: String,
    chain: Chain,
    content: Vec<u8>,
}

impl Undone {
    fn of(stream: &[u8], stages: &Stages) -> Undone {
        Undone::try_of(stream, stages).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_of(stream: &[u8], stages: &Stages) -> Result<Undone, String> {
        let (mut undone, mut open) = (Undone::default(), BTreeMap::new());
        let mut decoder = Decoder::new(Limits::default());
        let (mut current, mut holes) = (None, Vec::new());
        for piece in stream.chunks(70_001) {
            decoder.feed(Bytes::copy_from_slice(piece));
            while let Some(item) = decoder.next().expect("a valid stream") {
                match item {
                    Item::Payload { path, .. } => (current, holes) = (Some(path), Vec::new()),
                    Item::Sparse { path, runs, .. } => (current, holes) = (Some(path), runs),
                    Item::Data(bytes) => {
                        let path = current.clone().expect("a chunk");
                        let file = open.entry(path.clone()).or_insert_with(|| undone.open(stages, &path));
                        file.take(bytes, &mut holes)?;
                    }
                    Item::End { path } => {
                        let file = open.remove(&path).unwrap_or_else(|| undone.open(stages, &path));
                        let (name, content) = file.end()?;
                        undone.files.insert(name, content);
                    }
                    Item::Verified => {
                        if let Some(file) = current.as_ref().and_then(|path| open.get_mut(path)) {
                            file.take(Bytes::new(), &mut holes)?;
                        }
                    }
                    item => panic!("{item:?}"),
                }
            }
        }
        assert!(open.is_empty());
        decoder.finish().expect("a whole stream");
        Ok(undone)
    }

    fn open(&mut self, stages: &Stages, path: &StreamPath) -> Open {
        let (name, kinds) = stages.of(path.as_bytes());
        self.suffixes.extend(kinds.iter().map(|kind| kind.suffix()));
        let name = String::from_utf8(name.to_vec()).expect("a name");
        Open { name, chain: stages.chain(&kinds), content: Vec::new() }
    }
}

impl Open {
    /// The next bytes, and holes before and between them; those that begin after them stay.
    fn take(&mut self, mut bytes: Bytes, holes: &mut Vec<SparseRun>) -> Result<(), String> {
        if holes.is_empty() {
            return self.undo(bytes);
        }
        while let Some(run) = holes.first_mut() {
            self.content.resize(self.content.len() + std::mem::take(&mut run.skip) as usize, 0);
            let written = bytes.split_to(bytes.len().min(run.write as usize));
            self.content.extend_from_slice(&written);
            run.write -= written.len() as u32;
            if run.write > 0 {
                return Ok(());
            }
            holes.remove(0);
        }
        Ok(())
    }

    fn undo(&mut self, bytes: Bytes) -> Result<(), String> {
        self.chain.feed(bytes);
        while let Some(piece) = self.chain.next().map_err(|error| format!("{}: {error}", self.name))? {
            self.content.extend_from_slice(piece);
        }
        Ok(())
    }

    fn end(mut self) -> Result<(String, Vec<u8>), String> {
        self.chain.finish().map_err(|error| format!("{}: {error}", self.name))?;
        Ok((self.name, self.content))
    }
}
