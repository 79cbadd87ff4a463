//! A host that keeps as little as it can: documents pass through it as bytes, so that the memory of its process is the
//! library's.

use std::error::Error;
use std::ffi::c_void;
use std::path::Path;
use std::ptr;

use libloading::Library;
use pchat_tests::drive::native;
use serde_json::{json, Value};

type Document = *mut c_void;
type Data = unsafe extern "C" fn(Document, *mut *const u8, *mut usize, *mut Document) -> i32;
type Start = unsafe extern "C" fn(u64, *const u8, usize, *mut u64, *mut Document) -> i32;
type Next = unsafe extern "C" fn(u64, u32, *mut Document, *mut Document) -> i32;
type Answer = unsafe extern "C" fn(u64, *const u8, usize, *mut Document) -> i32;
type OnHandle = unsafe extern "C" fn(u64, *mut Document) -> i32;

/// The exports that carry out an operation, bound to the library for as long as the process lives.
pub struct Lean {
    data: Data,
    free: unsafe extern "C" fn(Document),
    next: Next,
    answer: Answer,
    cancel: OnHandle,
    close: OnHandle,
    library: &'static Library,
}

/// What an operation's listener does after an event that is no question.
pub enum After {
    GoOn,
    Cancel,
}

impl Lean {
    /// Binds the library, which stays loaded.
    pub fn load(path: &Path) -> Result<Lean, Box<dyn Error>> {
        // SAFETY: the library's initialisers do nothing but what the Rust runtime does.
        let library: &'static Library = Box::leak(Box::new(unsafe { Library::new(path) }?));
        // SAFETY: each type is the one that pchat.h declares for this name.
        unsafe {
            Ok(Lean {
                data: *library.get(b"pchat_document_data")?,
                free: *library.get(b"pchat_document_free")?,
                next: *library.get(b"pchat_operation_next")?,
                answer: *library.get(b"pchat_operation_answer")?,
                cancel: *library.get(b"pchat_operation_cancel")?,
                close: *library.get(b"pchat_operation_close")?,
                library,
            })
        }
    }

    /// Carries an operation out. `listener` sees each event but questions; the plan, where that is the result, is given
    /// back as the library wrote it.
    pub fn operate(
        &self,
        session: u64,
        export: &str,
        request: Vec<u8>,
        lab: &str,
        listener: &mut dyn FnMut(&Value) -> After,
    ) -> Result<Option<Plan<'_>>, Box<dyn Error>> {
        // SAFETY: every export that starts an operation has this type.
        let start: Start = unsafe { *self.library.get(export.as_bytes())? };
        let (mut operation, mut error) = (0, ptr::null_mut());
        // SAFETY: pointer and length belong together, the out-parameters are places on this stack.
        let status = unsafe { start(session, request.as_ptr(), request.len(), &mut operation, &mut error) };
        self.check(status, error)?;
        drop(request);
        let mut plan = None;
        loop {
            let mut event = ptr::null_mut();
            // SAFETY: the out-parameters are places on this stack.
            let status = unsafe { (self.next)(operation, 500, &mut event, &mut error) };
            self.check(status, error)?;
            match status {
                0 => {}
                2 => continue,
                _ => break,
            }
            let event = Plan { host: self, document: event };
            if event.text().is_some() {
                plan = Some(event);
                continue;
            }
            let event: Value = serde_json::from_slice(event.bytes())?;
            let answer = match event["event"].as_str() {
                Some("native") => {
                    json!({"id": event["id"], "kind": "native", "outcome": native(lab, &event["command"])})
                }
                Some("question") => json!({"id": event["id"], "kind": "confirm", "yes": true}),
                _ => {
                    if let After::Cancel = listener(&event) {
                        // SAFETY: as above.
                        let status = unsafe { (self.cancel)(operation, &mut error) };
                        self.check(status, error)?;
                    }
                    continue;
                }
            }
            .to_string();
            // SAFETY: as above. A late answer to a cancelled question is refused, and that is right.
            let refused = unsafe { (self.answer)(operation, answer.as_ptr(), answer.len(), &mut error) };
            if refused != 0 {
                drop(Plan { host: self, document: error });
            }
        }
        // SAFETY: as above.
        let status = unsafe { (self.close)(operation, &mut error) };
        self.check(status, error)?;
        Ok(plan)
    }

    fn check(&self, status: i32, error: Document) -> Result<(), Box<dyn Error>> {
        if status != 1 {
            return Ok(());
        }
        let error = Plan { host: self, document: error };
        Err(String::from_utf8_lossy(error.bytes()).into_owned().into())
    }
}

/// A document of the library, freed with this value.
pub struct Plan<'a> {
    host: &'a Lean,
    document: Document,
}

impl Plan<'_> {
    fn bytes(&self) -> &[u8] {
        let (mut bytes, mut length) = (ptr::null(), 0);
        // SAFETY: the document lives as long as this value, and its bytes with it.
        unsafe {
            (self.host.data)(self.document, &mut bytes, &mut length, ptr::null_mut());
            if bytes.is_null() {
                &[]
            } else {
                std::slice::from_raw_parts(bytes, length)
            }
        }
    }

    /// The plan, where the document is the result of planning.
    pub fn text(&self) -> Option<&[u8]> {
        self.bytes().strip_prefix(br#"{"event":"result","kind":"plan","result":"#)?.strip_suffix(b"}")
    }
}

impl Drop for Plan<'_> {
    fn drop(&mut self) {
        // SAFETY: the document came from this library and is freed once.
        unsafe { (self.host.free)(self.document) }
    }
}
