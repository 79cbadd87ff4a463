//! The built library, bound by name.

use std::path::Path;
use std::ptr;

use libloading::{Library, Symbol};
use serde_json::Value;

type Document = *mut std::ffi::c_void;
type StartFn = unsafe extern "C" fn(u64, *const u8, usize, *mut u64, *mut Document) -> i32;
type NextFn = unsafe extern "C" fn(u64, u32, *mut Document, *mut Document) -> i32;
type HandleFn = unsafe extern "C" fn(u64, *mut Document) -> i32;
type AnswerFn = unsafe extern "C" fn(u64, *const u8, usize, *mut Document) -> i32;
type OpenFn = unsafe extern "C" fn(*const u8, usize, *mut u64, *mut Document) -> i32;
type DataFn = unsafe extern "C" fn(Document, *mut *const u8, *mut usize, *mut Document) -> i32;
type FreeFn = unsafe extern "C" fn(Document);
type LoginFn = unsafe extern "C" fn(u64, *const u8, usize, *const u8, usize, *const u8, usize, *mut Document) -> i32;

/// What goes wrong between a host and the library.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    #[error("the library cannot be loaded: {0}")]
    Load(#[from] libloading::Error),
    #[error("{}", .0["message"].as_str().unwrap_or("an error without a text"))]
    Refused(Value),
    #[error("a document of the library is no JSON: {0}")]
    Document(#[from] serde_json::Error),
}

/// The library, loaded once and never unloaded while this lives.
pub struct Pchat(Library);

/// What `next` gave.
#[derive(Debug)]
pub enum Event {
    Event(Value),
    TimedOut,
    End,
}

impl Pchat {
    /// Loads the library by its full path.
    pub fn load(path: &Path) -> Result<Pchat, LibraryError> {
        // SAFETY: the library's initialisers do nothing but what the Rust runtime does.
        Ok(Pchat(unsafe { Library::new(path) }?))
    }

    fn symbol<T>(&self, name: &str) -> Result<Symbol<'_, T>, LibraryError> {
        // SAFETY: each caller names the type that pchat.h declares for this symbol.
        Ok(unsafe { self.0.get(name.as_bytes()) }?)
    }

    fn take(&self, document: Document) -> Result<Value, LibraryError> {
        let data: Symbol<DataFn> = self.symbol("pchat_document_data")?;
        let free: Symbol<FreeFn> = self.symbol("pchat_document_free")?;
        let (mut bytes, mut length) = (ptr::null(), 0);
        // SAFETY: the document came from this library and is freed once, after its bytes were copied.
        let value = unsafe {
            data(document, &mut bytes, &mut length, ptr::null_mut());
            let value = if bytes.is_null() {
                Ok(Value::Null)
            } else {
                serde_json::from_slice(std::slice::from_raw_parts(bytes, length))
            };
            free(document);
            value
        };
        Ok(value?)
    }

    fn checked(&self, status: i32, error: Document) -> Result<i32, LibraryError> {
        if status == 1 {
            return Err(LibraryError::Refused(self.take(error)?));
        }
        Ok(status)
    }

    /// Opens a session.
    pub fn open(&self, settings: &Value) -> Result<u64, LibraryError> {
        let open: Symbol<OpenFn> = self.symbol("pchat_session_open")?;
        let (text, mut session, mut error) = (settings.to_string(), 0, ptr::null_mut());
        // SAFETY: pointer and length belong together, the out-parameters are places on this stack.
        let status = unsafe { open(text.as_ptr(), text.len(), &mut session, &mut error) };
        self.checked(status, error).map(|_| session)
    }

    /// Adds a SQL login, the default one where no instance is named.
    pub fn add_login(
        &self,
        session: u64,
        instance: Option<&str>,
        user: &str,
        secret: &str,
    ) -> Result<(), LibraryError> {
        let add: Symbol<LoginFn> = self.symbol("pchat_session_login_add")?;
        let mut error = ptr::null_mut();
        let (at, length) = instance.map_or((ptr::null(), 0), |i| (i.as_ptr(), i.len()));
        // SAFETY: each pointer stands with its own length; a NULL instance is allowed.
        let status =
            unsafe { add(session, at, length, user.as_ptr(), user.len(), secret.as_ptr(), secret.len(), &mut error) };
        self.checked(status, error).map(drop)
    }

    /// Starts an operation by the name of its export.
    pub fn start(&self, export: &str, session: u64, request: &Value) -> Result<u64, LibraryError> {
        let start: Symbol<StartFn> = self.symbol(export)?;
        let (text, mut operation, mut error) = (request.to_string(), 0, ptr::null_mut());
        // SAFETY: as in `open`.
        let status = unsafe { start(session, text.as_ptr(), text.len(), &mut operation, &mut error) };
        self.checked(status, error).map(|_| operation)
    }

    /// The next event of an operation.
    pub fn next(&self, operation: u64, timeout_ms: u32) -> Result<Event, LibraryError> {
        let next: Symbol<NextFn> = self.symbol("pchat_operation_next")?;
        let (mut event, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the out-parameters are places on this stack.
        let status = unsafe { next(operation, timeout_ms, &mut event, &mut error) };
        match self.checked(status, error)? {
            0 => Ok(Event::Event(self.take(event)?)),
            2 => Ok(Event::TimedOut),
            _ => Ok(Event::End),
        }
    }

    /// Answers the open question.
    pub fn answer(&self, operation: u64, answer: &Value) -> Result<(), LibraryError> {
        let give: Symbol<AnswerFn> = self.symbol("pchat_operation_answer")?;
        let (text, mut error) = (answer.to_string(), ptr::null_mut());
        // SAFETY: pointer and length belong together.
        let status = unsafe { give(operation, text.as_ptr(), text.len(), &mut error) };
        self.checked(status, error).map(drop)
    }

    /// Calls one of the exports that take a handle alone: cancel, close.
    pub fn on_handle(&self, export: &str, handle: u64) -> Result<(), LibraryError> {
        let call: Symbol<HandleFn> = self.symbol(export)?;
        let mut error = ptr::null_mut();
        // SAFETY: the out-parameter is a place on this stack.
        let status = unsafe { call(handle, &mut error) };
        self.checked(status, error).map(drop)
    }
}
