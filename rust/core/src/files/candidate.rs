//! Where a folder of a server may be reached from here: guesses, each to be proved.

use crate::document::PathMapEntry;
use crate::names::{ClientPath, ServerPath};

/// Client paths that may be the same folder as a server's path, the likeliest first.
///
/// The operator's path map comes first, the longest prefix before shorter ones. On Windows a share is opened as it is
/// written, and a local path of the host through its administrative share. Elsewhere only the map helps.
pub fn client_candidates(server: &ServerPath, host: &str, path_map: &[PathMapEntry]) -> Vec<ClientPath> {
    candidates(server, host, path_map, cfg!(windows))
}

fn candidates(server: &ServerPath, host: &str, path_map: &[PathMapEntry], on_windows: bool) -> Vec<ClientPath> {
    let mut found: Vec<ClientPath> = Vec::new();
    let mut add = |path: ClientPath| {
        if !found.contains(&path) {
            found.push(path);
        }
    };
    if climbs(server.as_str()) {
        return Vec::new();
    }
    let mut mapped: Vec<(usize, ClientPath)> = path_map
        .iter()
        .filter_map(|entry| {
            let from = ServerPath::new(entry.from.as_str());
            let rest = server.strip_prefix(&from)?;
            let parts = rest.split('\\').filter(|part| !part.is_empty());
            Some((from.as_str().len(), parts.fold(ClientPath::new(entry.to.as_str()), |path, part| path.join(part))))
        })
        .collect();
    mapped.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    mapped.into_iter().for_each(|(_, path)| add(path));
    if on_windows {
        if server.is_unc() {
            add(ClientPath::new(server.as_str()));
        } else if let Some(share) = administrative_share(server, host) {
            add(ClientPath::new(share));
        }
    }
    found
}

/// `E:\LSCopy` of host `sql02` as `\\sql02\E$\LSCopy`.
fn administrative_share(server: &ServerPath, host: &str) -> Option<String> {
    let text = server.as_str();
    let mut chars = text.chars();
    let drive = chars.next().filter(char::is_ascii_alphabetic)?;
    let rest = chars.as_str().strip_prefix(':')?.trim_start_matches('\\');
    (!host.is_empty())
        .then(|| format!("\\\\{host}\\{}$\\{rest}", drive.to_ascii_uppercase()).trim_end_matches('\\').to_string())
}

fn climbs(path: &str) -> bool {
    path.split('\\').any(|part| part == ".." || part == ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(entries: &[(&str, &str)]) -> Vec<PathMapEntry> {
        entries.iter().map(|(from, to)| PathMapEntry { from: from.to_string(), to: to.to_string() }).collect()
    }

    fn texts(server: &str, entries: &[(&str, &str)], on_windows: bool) -> Vec<String> {
        candidates(&ServerPath::new(server), "sql02", &map(entries), on_windows)
            .iter()
            // The separator of this machine joins what is mapped; the expected texts have one.
            .map(|path| if on_windows { path.to_string() } else { path.to_string().replace('\\', "/") })
            .collect()
    }

    #[test]
    fn the_longest_prefix_of_the_map_comes_first() {
        let entries = [("E:\\", "/mnt/e"), ("e:\\lscopy", "/mnt/copy"), ("E:\\LSCop", "/mnt/wrong")];
        assert_eq!(texts("E:\\LSCopy\\mgc", &entries, false), ["/mnt/copy/mgc", "/mnt/e/LSCopy/mgc"]);
        assert_eq!(texts("\\\\fs1\\LogShip\\mgc", &[("\\\\fs1\\LogShip", "/mnt/ls")], false), ["/mnt/ls/mgc"]);
        assert!(texts("F:\\LSCopy", &entries, false).is_empty());
    }

    #[test]
    fn windows_opens_shares_and_administrative_shares() {
        assert_eq!(texts("\\\\fs1\\LogShip", &[], true), ["\\\\fs1\\LogShip"]);
        assert_eq!(texts("e:\\LSCopy", &[], true), ["\\\\sql02\\E$\\LSCopy"]);
        assert_eq!(texts("E:\\", &[], true), ["\\\\sql02\\E$"]);
        assert!(texts("LSCopy", &[], true).is_empty());
    }

    #[test]
    fn a_path_that_climbs_has_no_candidate() {
        assert!(texts("E:\\LSCopy\\..\\Windows", &[("E:\\LSCopy", "/mnt/copy")], true).is_empty());
    }
}
