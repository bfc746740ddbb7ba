//! `--extract`: what is to become of the files.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgGroup, Args};
use xbproto::quantity::ByteSize;
use xbproto::stage::{Cipher, Decompress, Stages};

use super::modes::{NO_DIRECTORY, NO_UNPACKING};
use crate::after::Decoded;
use crate::disk::PageCache;
use crate::extract::{Pattern, Required, Unpacking, Wanted};
use crate::file_key::{FileKeyError, file_key};

/// The options that only unpacking has.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Unpacking")]
#[command(group = ArgGroup::new("decoding").args(["decompress", "decrypt"]).multiple(true))]
pub struct UnpackArgs {
    /// Decompress .zst, .lz4 and .qp files on the way; their names lose the suffix
    #[arg(long, conflicts_with_all = NO_UNPACKING)]
    decompress: bool,

    /// Decrypt .xbcrypt files on the way, with the tool's key: AES128, AES192 or AES256
    #[arg(long, value_name = "ALGO", conflicts_with_all = NO_UNPACKING)]
    decrypt: Option<Cipher>,

    /// The file with the key that the backup tool encrypted with, byte for byte; or set XB_ENCRYPT_KEY
    #[arg(long, value_name = "FILE", requires = "decrypt", conflicts_with_all = NO_UNPACKING)]
    encrypt_key_file: Option<PathBuf>,

    /// How many threads decode and write files [default: one for each core]
    #[arg(long, value_name = "N", conflicts_with_all = NO_DIRECTORY, value_parser = clap::value_parser!(u16).range(1..=256))]
    parallel: Option<u16>,

    /// Unpack only files whose final names match PATTERN, such as 'shop/*'; may be repeated
    ///
    /// `*` and `?` stop at a slash, `**` does not; a directory stands for all below it.
    #[arg(long, value_name = "PATTERN", conflicts_with_all = NO_DIRECTORY)]
    only: Vec<Pattern>,

    /// Write what sha1sum would print for every unpacked file to FILE, which must not exist
    #[arg(long, value_name = "FILE", conflicts_with_all = NO_DIRECTORY)]
    manifest: Option<PathBuf>,

    /// Fail when decompressed or decrypted files take more than SIZE, all together
    #[arg(long, value_name = "SIZE", requires = "decoding", conflicts_with_all = NO_UNPACKING)]
    unpacked_limit: Option<ByteSize>,
}

impl UnpackArgs {
    /// Where the manifest is to be written, if one is.
    pub(super) fn manifest_mut(&mut self) -> Option<&mut PathBuf> {
        self.manifest.as_mut()
    }

    /// What is undone while unpacking. Reads the key.
    ///
    /// # Errors
    /// When there is no key to decrypt with, or it is of the wrong length.
    pub fn stages(&self) -> Result<Stages, FileKeyError> {
        let decompress = if self.decompress { Decompress::Yes } else { Decompress::No };
        let key = |cipher| file_key(cipher, self.encrypt_key_file.as_deref());
        let decrypt = self.decrypt.map(key).transpose()?.map(Arc::new);
        Ok(Stages { decompress, decrypt })
    }

    /// What is undone, for whoever prepares the backup.
    pub fn decoded(&self) -> Decoded {
        Decoded { decompressed: self.decompress, decrypted: self.decrypt.is_some() }
    }

    /// Whether files are decoded, which makes most of them larger.
    pub fn decodes(&self) -> bool {
        self.decompress || self.decrypt.is_some()
    }

    /// The most plain bytes that encoded files may become.
    pub fn limit(&self) -> Option<u64> {
        self.unpacked_limit.map(|limit| limit.0)
    }

    /// All of it. `required` is what must have come before anything is committed.
    ///
    /// # Errors
    /// As for [`stages`](Self::stages).
    pub fn unpacking(&self, cache: PageCache, required: Required) -> Result<Unpacking, FileKeyError> {
        let default = Unpacking::default();
        Ok(Unpacking {
            cache,
            stages: self.stages()?,
            workers: self.parallel.map(usize::from).and_then(NonZeroUsize::new).unwrap_or(default.workers),
            limit: self.limit(),
            required,
            wanted: Wanted::only(self.only.clone()),
            manifest: self.manifest.clone(),
        })
    }
}
