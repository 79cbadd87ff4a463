//! Watching the process that a lab belongs to, so that no lab outlives its owner.

use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(250);

/// Leaves the terminal's process group: Ctrl+C in the owner's shell is not meant for the lab.
///
/// On Windows the owner starts it with a console of its own instead.
#[cfg(unix)]
pub fn stand_apart() {
    extern "C" {
        fn setsid() -> i32;
    }
    // SAFETY: setsid takes nothing and only changes this process's session; it fails where that is done already.
    let _ = unsafe { setsid() };
}

#[cfg(not(unix))]
pub fn stand_apart() {}

/// Returns when the process has ended, or was not there to begin with.
///
/// On systems that are neither Windows nor Linux it never returns; `--until-stdin-closes` serves there.
pub async fn ended(pid: u32) {
    let Some(owner) = Owner::open(pid) else { return };
    while owner.lives() {
        tokio::time::sleep(PAUSE).await;
    }
}

/// The process as `/proc` knows it: its id, and when it started, since ids are given out again.
#[cfg(target_os = "linux")]
struct Owner {
    pid: u32,
    started: String,
}

#[cfg(target_os = "linux")]
impl Owner {
    fn open(pid: u32) -> Option<Owner> {
        started(pid).map(|started| Owner { pid, started })
    }

    fn lives(&self) -> bool {
        started(self.pid).as_ref() == Some(&self.started)
    }
}

/// Start time of a process that is neither gone nor a zombie.
#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; what follows it is fields of one word.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let state = *fields.first()?;
    (!matches!(state, "Z" | "X")).then(|| fields.get(19).map(|s| s.to_string()))?
}

#[cfg(windows)]
struct Owner(std::os::windows::io::OwnedHandle);

#[cfg(windows)]
#[link(name = "kernel32")]
extern "system" {
    fn OpenProcess(access: u32, inherit: i32, pid: u32) -> *mut std::ffi::c_void;
    fn WaitForSingleObject(handle: *mut std::ffi::c_void, milliseconds: u32) -> u32;
}

#[cfg(windows)]
impl Owner {
    fn open(pid: u32) -> Option<Owner> {
        use std::os::windows::io::{FromRawHandle, OwnedHandle};
        const SYNCHRONIZE: u32 = 0x0010_0000;
        // SAFETY: OpenProcess takes plain numbers and returns a new handle or null.
        let handle = unsafe { OpenProcess(SYNCHRONIZE, 0, pid) };
        if handle.is_null() {
            return None;
        }
        // SAFETY: the handle is valid, was just made, and nobody else closes it.
        Some(Owner(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    fn lives(&self) -> bool {
        use std::os::windows::io::AsRawHandle;
        const WAIT_TIMEOUT: u32 = 258;
        // SAFETY: the handle stays open as long as `self`; a wait of 0 ms only looks.
        unsafe { WaitForSingleObject(self.0.as_raw_handle(), 0) == WAIT_TIMEOUT }
    }
}

#[cfg(not(any(windows, target_os = "linux")))]
struct Owner;

#[cfg(not(any(windows, target_os = "linux")))]
impl Owner {
    fn open(_pid: u32) -> Option<Owner> {
        Some(Owner)
    }

    fn lives(&self) -> bool {
        true
    }
}

#[cfg(all(test, any(windows, target_os = "linux")))]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn child() -> std::process::Child {
        // Both read until their input ends, and then end themselves.
        let program = if cfg!(windows) { "findstr" } else { "cat" };
        let mut command = Command::new(program);
        if cfg!(windows) {
            command.arg("x");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
    }

    #[tokio::test]
    async fn it_waits_for_the_end_and_no_longer() {
        let mut child = child();
        let waiting = tokio::spawn(ended(child.id()));
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!waiting.is_finished());
        drop(child.stdin.take());
        tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
        child.wait().unwrap();
    }

    #[tokio::test]
    async fn a_process_that_is_not_there_has_ended() {
        let mut child = child();
        drop(child.stdin.take());
        child.wait().unwrap();
        tokio::time::timeout(Duration::from_secs(5), ended(child.id())).await.unwrap();
    }
}
