//! The streams: made once, and kept.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use xbtests::{MariaDb, Scene};

use crate::extent::Extent;
use crate::job::Job;
use crate::stage::Stage;

/// One of the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// What `mariadb-backup` writes: a few large tables and many small ones.
    Backup,
    /// The same files, each compressed with zstd as xtrabackup does it by default.
    Zstd,
    /// The same, with LZ4.
    Lz4,
    /// What `mariadb-backup --compress` writes.
    Qpress,
    /// 100 folders of files of a few KiB each.
    SmallFiles,
}

/// Where the streams are, and how large they are to be.
pub(crate) struct Streams<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) extent: &'a Extent,
    /// Somebody's own stream, in place of the backup.
    pub(crate) own: Option<&'a Path>,
}

impl Streams<'_> {
    /// The file that a stream is in, made if it is not there yet.
    pub(crate) fn file(&self, stream: Stream, stage: &Stage, progress: &impl Fn(&str)) -> Result<PathBuf> {
        if let (Stream::Backup, Some(own)) = (stream, self.own) {
            return Ok(own.to_owned());
        }
        let name = match stream {
            Stream::Backup => format!("backup-{}.xbstream", self.extent.rows),
            Stream::Zstd => format!("backup-{}-zst.xbstream", self.extent.rows),
            Stream::Lz4 => format!("backup-{}-lz4.xbstream", self.extent.rows),
            Stream::Qpress => format!("backup-{}-qp.xbstream", self.extent.rows),
            Stream::SmallFiles => format!("small-files-{}.xbstream", self.extent.small_files),
        };
        let (path, partial) = (self.folder.join(&name), stage.folder().join(&name));
        if !path.exists() {
            progress(&format!("making {}, once", path.display()));
            match stream {
                Stream::Backup => self.back_up(&partial, stage, "")?,
                Stream::Qpress => self.back_up(&partial, stage, "--compress")?,
                Stream::Zstd => self.compress(&partial, stage, "zstd -1 -q --rm", progress)?,
                Stream::Lz4 => self.compress(&partial, stage, "lz4 -1 -q -m --rm", progress)?,
                Stream::SmallFiles => self.pack(&partial, stage)?,
            }
            fs::rename(&partial, &path).with_context(|| format!("renaming {}", partial.display()))?;
        }
        Ok(path)
    }

    /// Fills a server of our own, and backs it up with these options.
    fn back_up(&self, path: &Path, stage: &Stage, options: &str) -> Result<()> {
        let scene = Scene::new();
        let server = MariaDb::create(&scene, "server");
        server.run(&scene, "CREATE DATABASE large; CREATE DATABASE small;");
        let socket = scene.folder().join("server/server.sock");
        let fill = format!(
            "sysbench oltp_read_write --db-driver=mysql --mysql-socket={} --mysql-user=root --mysql-db=large \
             --tables=8 --table-size={} prepare",
            socket.display(),
            self.extent.rows
        );
        run(stage, &fill, Stdio::null())?;
        for first in (0..self.extent.tables).step_by(TABLES_AT_ONCE) {
            let tables = first..(first + TABLES_AT_ONCE).min(self.extent.tables);
            server.run(&scene, &format!("USE small;\n{}", tables.map(table).collect::<String>()));
        }
        let target = scene.new_folder("target");
        let back_up = format!(
            "mariadb-backup --no-defaults --backup --stream=xbstream --user=root {} --target-dir={} {options}",
            server.socket_option(),
            target.display()
        );
        run(stage, &back_up, create(path)?)?;
        server.stop();
        Ok(())
    }

    /// Unpacks the backup, compresses every file, and packs them again.
    fn compress(&self, path: &Path, stage: &Stage, program: &str, progress: &impl Fn(&str)) -> Result<()> {
        let backup = self.file(Stream::Backup, stage, progress)?;
        let tree = tempfile::tempdir_in(stage.folder()).context("a folder for the backup")?;
        let pack = format!(
            "cd {}; mbstream -x < {}; find * -type f -print0 | xargs -0 -n 100 {program}; \
             find * -type f | LC_ALL=C sort | xargs mbstream -c",
            tree.path().display(),
            backup.display()
        );
        run(stage, &pack, create(path)?)
    }

    /// Makes the small files, and packs them.
    fn pack(&self, path: &Path, stage: &Stage) -> Result<()> {
        let tree = tempfile::tempdir_in(stage.folder()).context("a folder for small files")?;
        for number in 0..self.extent.small_files {
            let folder = tree.path().join(format!("db{:02}", number % 100));
            fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
            let file = folder.join(format!("t{number:06}.ibd"));
            // 1 to 7 KiB.
            let content = format!("{number:015}\n").repeat(64 * (1 + number * 7 % 13 / 2));
            fs::write(&file, content).with_context(|| format!("writing {}", file.display()))?;
        }
        let pack = format!("cd {}; find * -type f | LC_ALL=C sort | xargs mbstream -c", tree.path().display());
        run(stage, &pack, create(path)?)
    }
}

/// Statements that a server takes in one go, so that it never seems to hang.
const TABLES_AT_ONCE: usize = 100;

/// The statements that make a small table with a few rows.
fn table(number: usize) -> String {
    format!(
        "CREATE TABLE t{number} (id INT AUTO_INCREMENT PRIMARY KEY, word VARCHAR(100)) ENGINE=InnoDB;
         INSERT INTO t{number} (word) SELECT CONCAT('row ', seq, ' of table {number}') FROM seq_1_to_100;\n"
    )
}

fn create(path: &Path) -> Result<Stdio> {
    Ok(File::create(path).with_context(|| format!("creating {}", path.display()))?.into())
}

/// Runs a line of `bash` that writes to `output`.
fn run(stage: &Stage, line: &str, output: Stdio) -> Result<()> {
    let mut command: Command = stage.bash(line);
    command.stdout(output);
    Job::start("making a stream", command, Stdio::null(), &stage.folder().join("make.log"))?.wait()
}
