//! The proof against the reference restorer. `PCHAT_CHAIN_CASES` sets the number of cases.

use std::cell::Cell;

use pchat_core::log_chain::{gate, prove, search, AcceptedLoss, HeaderBook, RedoPoint};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::reference::restore_log;
use crate::world::{Op, Truth, World};

fn cases() -> u32 {
    std::env::var("PCHAT_CHAIN_CASES").ok().and_then(|value| value.parse().ok()).unwrap_or(10_000)
}

fn run(cases: u32, check: impl Fn(&World) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let input = (any::<[u8; 4]>(), proptest::collection::vec(any::<Op>(), 1..20));
    let outcome = TestRunner::new(config).run(&input, |(head, ops)| check(&World::build(head, &ops)));
    if let Err(error) = outcome {
        if let proptest::test_runner::TestError::Fail(_, (head, ops)) = &error {
            eprintln!("{}", World::build(*head, ops).describe());
        }
        panic!("{error}");
    }
}

/// The gate opens exactly when the reference restorer reaches everything that is known.
fn gate_agrees(world: &World) -> Result<(), TestCaseError> {
    let listing = world.listing();
    let redo = world.redo_point();
    let chain = prove(&redo, &listing);

    let mut state = world.redo;
    for link in &chain.restore {
        prop_assert!(link.stripes.iter().all(|stripe| !stripe.sources.is_empty()), "a link without a file");
        prop_assert!(link.files(&listing).all(|file| file.trouble.is_none()), "a link from a damaged file");
        let next = restore_log(state, &world.tape_of(&link.header));
        prop_assert!(next.is_some(), "SQL Server would refuse {:?} at {state:?}", link.header);
        state = next.unwrap_or(state);
    }
    prop_assert_eq!(chain.status.len(), listing.candidates.len());
    if !chain.restore.is_empty() {
        prop_assert!(gate::open("B", "mgc", &redo, &listing, None).is_err(), "open before the restore");
    }

    let after = RedoPoint { family_id: redo.family_id, ..chain.end.clone() };
    let opened = gate::open("B", "mgc", &after, &listing, None);
    let is_shut = opened.is_err();
    match world.truth() {
        Truth::Complete => {
            prop_assert!(opened.is_ok(), "shut over a complete chain: {:?}", opened.err().map(|e| e.to_string()))
        }
        Truth::Hole => prop_assert!(is_shut, "open over a hole; end {:?}", chain.end),
        Truth::Unknowable => {}
    }
    if is_shut {
        let accepted = AcceptedLoss::new(chain.accept_value());
        prop_assert!(gate::open("B", "mgc", &after, &listing, Some(&accepted)).is_ok(), "the shown value is refused");
        let wrong = AcceptedLoss::new("1");
        prop_assert!(gate::open("B", "mgc", &after, &listing, Some(&wrong)).is_err(), "any value opens");
    }
    Ok(())
}

/// Reading headers newest first, as far as the search asks for, leads to the same end as reading all of them.
fn search_agrees(world: &World) -> Result<(), TestCaseError> {
    let mut world = world.clone();
    world.copies_differ = true;
    let redo = world.redo_point();
    let whole = prove(&redo, &world.listing());
    let (files, _) = world.files_and_book();
    let mut book = HeaderBook::default();
    for _ in 0..1000 {
        let next = search::next_to_read(&redo, &files, &book, None, 3);
        if next.is_empty() {
            let part = prove(&redo, &book.listing(&files, World::places(), None));
            prop_assert_eq!(part.is_proved(), whole.is_proved());
            prop_assert_eq!(part.end.lsn, whole.end.lsn);
            prop_assert_eq!(part.end.fork_id, whole.end.fork_id);
            return Ok(());
        }
        for index in next {
            world.read(&files[index], &mut book);
        }
    }
    prop_assert!(false, "the search never ends");
    Ok(())
}

#[test]
fn gate_opens_exactly_over_complete_chains() {
    let (complete, holes) = (Cell::new(0_u32), Cell::new(0_u32));
    let cases = cases();
    run(cases, |world| {
        match world.truth() {
            Truth::Complete => complete.set(complete.get() + 1),
            Truth::Hole => holes.set(holes.get() + 1),
            Truth::Unknowable => {}
        }
        gate_agrees(world)
    });
    // Worlds of one kind only would prove nothing.
    assert!(
        complete.get() > cases / 10 && holes.get() > cases / 10,
        "{} complete, {} with holes",
        complete.get(),
        holes.get()
    );
}

#[test]
fn newest_first_search_finds_the_same_end() {
    run(cases() / 8, search_agrees);
}
