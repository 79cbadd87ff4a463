//! LOGIN7: what a client says about itself, and what the session becomes.

use std::any::Any;
use std::fmt;
use std::net::SocketAddr;

use crate::error::{Error, Result};
use crate::wire::{utf16, Reader};

/// A login request. The password is left out of its `Debug` form.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: String,
    /// Windows authentication. The token in `sspi` is not verified by this crate:
    /// with NTLM, `user` is `DOMAIN\name` as the client claims it.
    pub integrated: bool,
    pub sspi: Vec<u8>,
    /// `host_name` of session views.
    pub host_name: String,
    /// `program_name` of session views.
    pub application: String,
    /// The server name as the client wrote it.
    pub server: String,
    pub library: String,
    pub language: String,
    /// Empty: the login's default database.
    pub database: String,
    pub attach_file: String,
    pub new_password: String,
    pub client_id: [u8; 6],
    pub process_id: u32,
    pub program_version: u32,
    pub tds_version: u32,
    /// The packet size the client asks for; 0 leaves it to the server.
    pub packet_size: u32,
    pub time_zone: i32,
    pub locale: u32,
    pub read_only_intent: bool,
    /// The client demands that `database` can be opened.
    pub database_required: bool,
    /// Features of the LOGIN7 extension, by id.
    pub features: Vec<(u8, Vec<u8>)>,
    /// Whether everything on this connection is encrypted, not just the login.
    pub encrypted: bool,
    pub peer: SocketAddr,
    /// The session id this login gets unless the handler chooses another.
    pub spid: u16,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.user)
            .field("integrated", &self.integrated)
            .field("host_name", &self.host_name)
            .field("application", &self.application)
            .field("database", &self.database)
            .field("spid", &self.spid)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// What an accepted login becomes.
pub struct SessionInfo {
    pub database: String,
    pub language: String,
    /// Another session id than the offered one; ignored while a session has it.
    pub spid: Option<u16>,
    /// Another packet size than the one negotiated.
    pub packet_size: Option<u16>,
    /// Announced to the client when `database` is mirrored.
    pub mirror_partner: Option<String>,
    /// What the handler wants to keep; see [`Session::data`](crate::Session::data).
    pub data: Option<Box<dyn Any + Send>>,
}

impl SessionInfo {
    /// An English session in `database`.
    pub fn new(database: impl Into<String>) -> Self {
        Self {
            database: database.into(),
            language: "us_english".to_owned(),
            spid: None,
            packet_size: None,
            mirror_partner: None,
            data: None,
        }
    }

    /// Keeps `data` in the session.
    pub fn data(mut self, data: impl Any + Send) -> Self {
        self.data = Some(Box::new(data));
        self
    }
}

/// The UTF8 feature of the LOGIN7 extension, the only one that is acknowledged.
pub(crate) const FEATURE_UTF8: u8 = 0x0A;

const OFFSETS_START: usize = 36;
const OFFSETS_END: usize = 94;

/// Decodes the body of a LOGIN7 message.
pub(crate) fn decode(message: &[u8], peer: SocketAddr) -> Result<Login> {
    let mut fixed = Reader::new(message);
    let length = fixed.u32()? as usize;
    // Whatever follows the declared length is padding.
    let body = message.get(..length).ok_or(Error::Protocol("LOGIN7 is shorter than it says"))?;
    if body.len() < OFFSETS_END {
        return Err(Error::Protocol("LOGIN7 without its offset table"));
    }
    let tds_version = fixed.u32()?;
    let packet_size = fixed.u32()?;
    let program_version = fixed.u32()?;
    let process_id = fixed.u32()?;
    fixed.u32()?; // connection id
    let [flags1, flags2, type_flags, flags3] = fixed.array()?;
    let time_zone = fixed.i32()?;
    let locale = fixed.u32()?;

    let mut table = Reader::new(&body[OFFSETS_START..OFFSETS_END]);
    let host_name = text(body, &mut table)?;
    let user = text(body, &mut table)?;
    let password = utf16(&unscramble(bytes(body, &mut table, 2)?))?;
    let application = text(body, &mut table)?;
    let server = text(body, &mut table)?;
    let extension = bytes(body, &mut table, 1)?;
    let library = text(body, &mut table)?;
    let language = text(body, &mut table)?;
    let database = text(body, &mut table)?;
    let client_id = table.array()?;
    let mut long_sspi = table.clone();
    let (sspi_at, sspi_length) = (table.u16()?, table.u16()?);
    let attach_file = text(body, &mut table)?;
    let new_password = utf16(&unscramble(bytes(body, &mut table, 2)?))?;
    let sspi = match (sspi_length, table.u32()?) {
        (u16::MAX, long) if long != 0 => slice(body, usize::from(sspi_at), long as usize)?,
        _ => bytes(body, &mut long_sspi, 1)?,
    };
    Ok(Login {
        user,
        password,
        integrated: flags2 & 0x80 != 0,
        sspi: sspi.to_vec(),
        host_name,
        application,
        server,
        library,
        language,
        database,
        attach_file,
        new_password,
        client_id,
        process_id,
        program_version,
        tds_version,
        packet_size,
        time_zone,
        locale,
        read_only_intent: type_flags & 0x20 != 0,
        database_required: flags1 & 0x40 != 0,
        features: if flags3 & 0x10 != 0 { features(body, extension)? } else { Vec::new() },
        encrypted: false,
        peer,
        spid: 0,
    })
}

fn slice(body: &[u8], at: usize, length: usize) -> Result<&[u8]> {
    at.checked_add(length).and_then(|end| body.get(at..end)).ok_or(Error::Protocol("LOGIN7 offset outside the message"))
}

/// The next field of the offset table; an empty one may point anywhere.
fn bytes<'a>(body: &'a [u8], table: &mut Reader<'_>, unit: usize) -> Result<&'a [u8]> {
    let (at, count) = (usize::from(table.u16()?), usize::from(table.u16()?));
    if count == 0 {
        return Ok(&[]);
    }
    slice(body, at, count * unit)
}

fn text(body: &[u8], table: &mut Reader<'_>) -> Result<String> {
    utf16(bytes(body, table, 2)?)
}

/// Passwords travel with nibbles swapped and XOR 0xA5.
fn unscramble(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| (byte ^ 0xA5).rotate_left(4)).collect()
}

/// The extension holds the offset of a list of (id, length, data) ended by 0xFF.
fn features(body: &[u8], extension: &[u8]) -> Result<Vec<(u8, Vec<u8>)>> {
    let at = Reader::new(extension).u32()? as usize;
    let list = body.get(at..).ok_or(Error::Protocol("LOGIN7 extension outside the message"))?;
    let mut list = Reader::new(list);
    let mut features = Vec::new();
    loop {
        match list.u8()? {
            0xFF => return Ok(features),
            id => {
                let length = list.u32()? as usize;
                features.push((id, list.take(length)?.to_vec()));
            }
        }
    }
}
