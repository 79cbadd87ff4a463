//! What a Windows file asks of the system that loads it: one missing name, and the loader refuses the file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use object::pe::ImageNtHeaders64;
use object::read::pe::PeFile64;
use object::LittleEndian;

use crate::process::{told, Result, Stop};

/// The names that a file imports, by DLL in lower case, and those that it exports.
#[derive(Debug, Default)]
pub struct Image {
    pub imports: BTreeMap<String, BTreeSet<String>>,
    pub exports: BTreeSet<String>,
}

/// Reads the tables of a 64-bit Windows file. An import by number is shown as `#7`.
pub fn read(bytes: &[u8]) -> object::Result<Image> {
    let file = PeFile64::parse(bytes)?;
    let mut image = Image::default();
    if let Some(table) = file.import_table()? {
        let mut descriptors = table.descriptors()?;
        while let Some(descriptor) = descriptors.next()? {
            let library = text(table.name(descriptor.name.get(LittleEndian))?).to_lowercase();
            let names = image.imports.entry(library).or_default();
            let mut thunks = table.thunks(descriptor.original_first_thunk.get(LittleEndian))?;
            while let Some(thunk) = thunks.next::<ImageNtHeaders64>()? {
                use object::read::pe::ImageThunkData;
                names.insert(if thunk.is_ordinal() {
                    format!("#{}", thunk.ordinal())
                } else {
                    text(table.hint_name(thunk.address())?.1)
                });
            }
        }
    }
    if let Some(table) = file.export_table()? {
        for export in table.exports()? {
            image.exports.insert(export.name.map_or_else(|| format!("#{}", export.ordinal), text));
        }
    }
    Ok(image)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A frozen list: lines of a DLL and names, `#` begins a comment line.
pub fn allowed(list: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut out = BTreeMap::<String, BTreeSet<String>>::new();
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace().map(str::to_string);
        if let Some(library) = words.next() {
            out.entry(library).or_default().extend(words);
        }
    }
    out
}

/// The imports that are not on the list, as `dll!name`.
pub fn not_allowed(image: &Image, list: &str) -> Vec<String> {
    let allowed = allowed(list);
    let known = |library: &str, name: &str| allowed.get(library).is_some_and(|names| names.contains(name));
    image
        .imports
        .iter()
        .flat_map(|(library, names)| names.iter().map(move |name| (library, name)))
        .filter(|(library, name)| !known(library, name))
        .map(|(library, name)| format!("{library}!{name}"))
        .collect()
}

/// The functions that the committed header declares: what the library exports, and nothing else.
pub fn declared(header: &str) -> BTreeSet<String> {
    header
        .match_indices("pchat_")
        .filter_map(|(at, _)| {
            let name: String = header[at..]
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_')
                .collect();
            let declared = header[at + name.len()..].starts_with('(') && header[..at].ends_with([' ', '*']);
            // In prose a call stands in backquotes or after a star at the start of a line.
            let line = header[..at].rsplit('\n').next().unwrap_or_default().trim_start();
            (declared && !line.starts_with('*') && !line.starts_with("/*") && !line.starts_with("//")).then_some(name)
        })
        .collect()
}

/// Folders of this machine that stand in the file, if any: a released file names none.
pub fn build_paths(bytes: &[u8], folders: &[String]) -> Vec<String> {
    let found = |needle: &[u8]| !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle);
    folders.iter().filter(|folder| found(folder.as_bytes())).cloned().collect()
}

/// Checks one file against its list; the sentence says how many imports there were.
///
/// `exports`: what it must export, exactly; `None` for a program.
pub fn check(file: &Path, list: &Path, exports: Option<&BTreeSet<String>>, folders: &[String]) -> Result<String> {
    let wrong = |path: &Path| {
        let path = path.display().to_string();
        move |source| Stop::File { path, source }
    };
    let bytes = std::fs::read(file).map_err(wrong(file))?;
    let list_text = std::fs::read_to_string(list).map_err(wrong(list))?;
    let image = read(&bytes).map_err(|e| Stop::Told(format!("{}: {e}", file.display())))?;
    let count: usize = image.imports.values().map(BTreeSet::len).sum();
    let mut faults: Vec<String> = not_allowed(&image, &list_text)
        .into_iter()
        .map(|import| format!("imports {import}, which is not in {}", list.display()))
        .collect();
    if count == 0 {
        faults.push("imports nothing, so the check saw nothing".to_string());
    }
    if let Some(wanted) = exports {
        faults.extend(wanted.difference(&image.exports).map(|name| format!("lacks the export {name}")));
        faults.extend(image.exports.difference(wanted).map(|name| format!("exports {name}, which no header declares")));
    }
    faults.extend(build_paths(&bytes, folders).into_iter().map(|folder| format!("holds the build path {folder}")));
    if faults.is_empty() {
        Ok(format!("{count} imports from {} system DLLs, {} bytes", image.imports.len(), bytes.len()))
    } else {
        told(format!("{}: {}", file.display(), faults.join("; ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_listed_is_told_with_its_dll() {
        let list = "# what old systems have\nkernel32.dll CreateFileW Sleep\nKERNEL32.dll NotThisCase\n";
        let mut image = Image::default();
        for (library, name) in [
            ("kernel32.dll", "Sleep"),
            ("kernel32.dll", "GetSystemTimePreciseAsFileTime"),
            ("bcryptprimitives.dll", "ProcessPrng"),
            ("ws2_32.dll", "#23"),
        ] {
            image.imports.entry(library.to_string()).or_default().insert(name.to_string());
        }
        let told = not_allowed(&image, list);
        assert_eq!(
            told,
            ["bcryptprimitives.dll!ProcessPrng", "kernel32.dll!GetSystemTimePreciseAsFileTime", "ws2_32.dll!#23"]
        );
    }

    #[test]
    fn the_header_declares_functions_and_prose_does_not() {
        let header = "/* call pchat_prose() first\n * pchat_more(x)\n */\nuint32_t pchat_abi_version(void);\nint32_t \
                      pchat_open(const uint8_t *text,\n  size_t length);\ntypedef struct PchatDocument PchatDocument;\n";
        assert_eq!(declared(header).into_iter().collect::<Vec<_>>(), ["pchat_abi_version", "pchat_open"]);
        let committed = std::fs::read_to_string(crate::process::root().join("rust/ffi/include/pchat.h")).unwrap();
        assert!(declared(&committed).len() > 20, "{:?}", declared(&committed));
    }

    #[test]
    fn a_path_of_the_build_is_found() {
        let folders = ["/srv/me/project".to_string(), "/opt/other".to_string()];
        assert_eq!(build_paths(b"panicked at /srv/me/project/src/lib.rs", &folders), ["/srv/me/project"]);
        assert!(build_paths(b"panicked at /src/lib.rs", &folders).is_empty());
    }

    #[test]
    fn what_is_no_windows_file_is_an_error() {
        assert!(read(b"\x7fELF and more that is not for Windows at all, however long it goes on").is_err());
    }
}
