//! Reading headers, newest first, over a few connections.

use std::collections::HashMap;

use crate::error::Result;
use crate::log_chain::search::next_to_read;
use crate::log_chain::{Header, HeaderBook, KnownEnd, RedoPoint, SeenFile, Trouble};
use crate::names::{InstanceName, Text};
use crate::sql::backup_file::{read_headers, HeaderAnswer};
use crate::sql::{Connection, Connector, Purpose};

/// How many files are asked for at a time, over how many connections.
const BATCH: usize = 32;
const CONNECTIONS: usize = 4;

type Answer = std::result::Result<Vec<Header>, Trouble>;

/// Reads headers into the book until the search wants no more.
///
/// # Errors
/// What keeps the backup instance from answering at all.
pub(super) async fn read(
    connector: &Connector,
    instance: &InstanceName,
    seen: &[SeenFile],
    book: &mut HeaderBook,
    redo: Option<&RedoPoint>,
    known_end: Option<&KnownEnd>,
) -> Result<()> {
    let Some(redo) = redo else { return Ok(()) };
    let mut connections: Vec<Connection> = Vec::new();
    loop {
        let wanted = next_to_read(redo, seen, book, known_end, BATCH);
        if wanted.is_empty() {
            break;
        }
        let lanes = wanted.len().min(CONNECTIONS);
        connections.retain(Connection::is_usable);
        while connections.len() < lanes {
            connections.push(connector.connect(instance, Purpose::Files).await?);
        }
        let work = connections.iter_mut().take(lanes).enumerate().map(|(lane, connection)| {
            let mine: Vec<usize> = wanted.iter().copied().skip(lane).step_by(lanes).collect();
            read_some(connection, seen, mine)
        });
        for (index, answer) in futures_util::future::join_all(work).await.into_iter().flatten() {
            book.insert(&seen[index], answer);
        }
    }
    for connection in connections {
        connection.close().await;
    }
    mark_shorter_copies(seen, book);
    Ok(())
}

async fn read_some(connection: &mut Connection, seen: &[SeenFile], indexes: Vec<usize>) -> Vec<(usize, Answer)> {
    let mut answers = Vec::with_capacity(indexes.len());
    for index in indexes {
        let answer = match read_headers(connection, &seen[index].path).await {
            Ok(HeaderAnswer::Read(headers)) => Ok(headers),
            Ok(HeaderAnswer::Trouble(trouble, _)) => Err(trouble),
            Err(error) => Err(Trouble::Unreadable(error.message)),
        };
        answers.push((index, answer));
    }
    answers
}

/// A copy that is shorter than another file of the same name and set was cut off: its header is whole, its end is not.
fn mark_shorter_copies(seen: &[SeenFile], book: &mut HeaderBook) {
    let mut longest: HashMap<(Text, uuid::Uuid), u64> = HashMap::new();
    let set_of = |book: &HeaderBook, file: &SeenFile| {
        let first = book.headers(file)?.first()?.backup_set_id;
        (!first.is_nil() && file.size_bytes > 0).then(|| (file.name.in_lower_case(), first))
    };
    for file in seen {
        if let Some(set) = set_of(book, file) {
            let size = longest.entry(set).or_default();
            *size = file.size_bytes.max(*size);
        }
    }
    for file in seen {
        let Some(set) = set_of(book, file) else { continue };
        let size = longest.get(&set).copied().unwrap_or_default();
        if file.size_bytes < size {
            let why = format!("it has {} of the {size} bytes of another copy", file.size_bytes);
            book.mark(file, Trouble::Malformed(why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::sample;
    use crate::log_chain::PlaceId;
    use crate::names::ServerPath;

    fn file(name: &str, place: PlaceId, size_bytes: u64) -> SeenFile {
        SeenFile {
            name: name.into(),
            place,
            path: ServerPath::new(r"E:\x").join(name),
            size_bytes,
            modified_at: Some(sample::at(2, 0)),
        }
    }

    #[test]
    fn a_copy_that_was_cut_off_is_told_by_its_size() {
        let seen = [
            file("a.trn", PlaceId::SHARE, 100),
            file("A.trn", PlaceId::COPY_FOLDER, 60),
            file("b.trn", PlaceId::COPY_FOLDER, 100),
            file("a.trn", PlaceId::additional(0), 0),
        ];
        let mut book = HeaderBook::default();
        for (seen, number) in seen.iter().zip([1, 1, 2, 1]) {
            book.insert(seen, Ok(vec![sample::header(number)]));
        }
        mark_shorter_copies(&seen, &mut book);
        let listing = book.listing(&seen, Vec::new(), None);
        let troubled: Vec<bool> = listing.candidates.iter().map(|candidate| candidate.trouble.is_some()).collect();
        assert_eq!(troubled, [false, true, false, false]);
    }
}
