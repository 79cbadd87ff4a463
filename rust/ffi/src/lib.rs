//! The C ABI of PersistentChatFailover: handles, documents, operations, and one panic guard.
//!
//! Reading order: `exports` is the table of contents, `guard` the net under each of them, `handle` who owns what,
//! `operation` events out and answers in, `document` the bytes that cross. The rules for callers are prose at the
//! head of `include/pchat.h`.

mod document;
mod exports;
mod guard;
mod handle;
mod operation;
mod session;

#[cfg(test)]
mod tests;
