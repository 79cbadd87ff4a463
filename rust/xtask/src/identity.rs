//! The identity of an assembly. `mcs` draws it by lot at each build; here it follows from the content, so that the same
//! sources give the same bytes.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::process::{told, Result, Stop};

/// Length of the identity, a GUID.
const LENGTH: usize = 16;

/// Gives an assembly the identity that its content has.
pub fn settle(assembly: &Path) -> Result {
    let wrong = |source| Stop::File { path: assembly.display().to_string(), source };
    let mut bytes = std::fs::read(assembly).map_err(wrong)?;
    let Some(at) = place(&bytes) else {
        return told(format!("{}: no module identity is found in it", assembly.display()));
    };
    bytes[at..at + LENGTH].fill(0);
    let digest = Sha256::digest(&bytes);
    bytes[at..at + LENGTH].copy_from_slice(&digest[..LENGTH]);
    std::fs::write(assembly, bytes).map_err(wrong)
}

/// Where it stands: the first of the stream `#GUID`.
///
/// # Source
/// ECMA-335, II.24.2: the metadata root (its signature, a version text of told length, the streams' headers).
fn place(bytes: &[u8]) -> Option<usize> {
    let root = bytes.windows(4).position(|four| four == b"BSJB")?;
    let long = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize);
    let streams = root + 16 + long(root + 12)? + 2;
    let count = u16::from_le_bytes(bytes.get(streams..streams + 2)?.try_into().ok()?);
    let mut header = streams + 2;
    for _ in 0..count {
        let (offset, size) = (long(header)?, long(header + 4)?);
        let name = bytes.get(header + 8..)?;
        let length = name.iter().position(|byte| *byte == 0)?;
        if &name[..length] == b"#GUID" && size >= LENGTH {
            return Some(root + offset).filter(|at| at + LENGTH <= bytes.len());
        }
        // The name ends with a zero and is filled up to four bytes.
        header += 8 + (length / 4 + 1) * 4;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of an assembly that are read, with this identity.
    fn assembly(identity: [u8; LENGTH]) -> Vec<u8> {
        let mut bytes = b"MZ..BSJB\x01\0\x01\0\0\0\0\0\x04\0\0\0v4\0\0\0\0\x02\0".to_vec();
        let guid = 60u32;
        bytes.extend([0u8; 8]);
        bytes.extend(b"#Strings\0\0\0\0");
        bytes.extend(guid.to_le_bytes());
        bytes.extend((LENGTH as u32).to_le_bytes());
        bytes.extend(b"#GUID\0\0\0");
        bytes.resize(4 + guid as usize, 0);
        bytes.extend(identity);
        bytes
    }

    #[test]
    fn the_same_content_gets_the_same_identity_and_another_content_another() {
        let folder = tempfile::tempdir().unwrap();
        let settled = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            settle(&path).unwrap();
            std::fs::read(&path).unwrap()
        };
        let one = settled("1", &assembly([1; LENGTH]));
        assert_eq!(one, settled("2", &assembly([2; LENGTH])));
        assert_eq!(one.len(), assembly([1; LENGTH]).len());
        let mut other = assembly([1; LENGTH]);
        other[0] = b'N';
        assert_ne!(one[64..], settled("3", &other)[64..]);
    }

    #[test]
    fn what_is_no_assembly_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none");
        for bytes in [&b"nothing"[..], b"BSJB", b"BSJB\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"] {
            std::fs::write(&path, bytes).unwrap();
            assert!(settle(&path).is_err());
        }
    }
}
