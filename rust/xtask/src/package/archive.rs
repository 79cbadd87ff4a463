//! The zip: sorted names, one fixed time, so that the same files give the same bytes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::contents::{inside, MODULE};
use crate::process::{Result, Stop};

/// Packs a folder; every name begins with the module's, so that it unpacks into a folder of modules.
pub fn pack(folder: &Path, to: &Path) -> Result {
    let wrong = |source| Stop::File { path: to.display().to_string(), source };
    let packed = |error: zip::result::ZipError| Stop::Told(format!("{}: {error}", to.display()));
    let mut zip = ZipWriter::new(BufWriter::new(File::create(to).map_err(wrong)?));
    for name in inside(folder) {
        // A program keeps its right to be started where the unpacker honours it.
        let mode = if name.ends_with("/pchat-lab") { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(mode);
        zip.start_file(format!("{MODULE}/{name}"), options).map_err(packed)?;
        let path = folder.join(&name);
        let bytes = std::fs::read(&path).map_err(|source| Stop::File { path: path.display().to_string(), source })?;
        zip.write_all(&bytes).map_err(wrong)?;
    }
    let mut file = zip.finish().map_err(packed)?;
    file.flush().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_zips_of_the_same_files_are_the_same_bytes() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("folder");
        std::fs::create_dir_all(folder.join("module/native/linux-x64")).unwrap();
        std::fs::write(folder.join("module/native/linux-x64/pchat-lab"), [0u8; 5000]).unwrap();
        std::fs::write(folder.join("a.txt"), "a").unwrap();
        let (first, second) = (place.path().join("1.zip"), place.path().join("2.zip"));
        pack(&folder, &first).unwrap();
        // The times of the files say nothing about their content.
        std::fs::write(folder.join("a.txt"), "a").unwrap();
        pack(&folder, &second).unwrap();
        assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
        let mut read = zip::ZipArchive::new(File::open(&first).unwrap()).unwrap();
        assert_eq!(read.by_index(0).unwrap().name().unwrap(), "PersistentChatFailover/a.txt");
        let lab = read.by_index(1).unwrap();
        assert_eq!(lab.unix_mode().map(|mode| mode & 0o777), Some(0o755));
    }
}
