//! PRELOGIN: who encrypts what.

use bytes::{BufMut, BytesMut};

use crate::config::{Encryption, ServerConfig};
use crate::error::{Error, Result};
use crate::wire::Reader;

const VERSION: u8 = 0;
const ENCRYPTION: u8 = 1;
const INSTANCE: u8 = 2;
const THREAD: u8 = 3;
const MARS: u8 = 4;
const END: u8 = 0xFF;

const OFF: u8 = 0;
const ON: u8 = 1;
const NOT_SUPPORTED: u8 = 2;
const REQUIRED: u8 = 3;

/// What a client says before it logs in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Prelogin {
    encryption: u8,
    instance: String,
}

/// Which part of the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encrypted {
    Nothing,
    LoginOnly,
    Everything,
}

/// Decodes the options that matter; unknown ones are ignored, as servers do.
pub(crate) fn decode(message: &[u8]) -> Result<Prelogin> {
    let mut prelogin = Prelogin { encryption: NOT_SUPPORTED, instance: String::new() };
    let mut table = Reader::new(message);
    loop {
        let option = table.u8()?;
        if option == END {
            return Ok(prelogin);
        }
        let (at, length) = (usize::from(table.u16_be()?), usize::from(table.u16_be()?));
        let data = message.get(at..at + length).ok_or(Error::Protocol("PRELOGIN option outside the message"))?;
        match option {
            ENCRYPTION => prelogin.encryption = *data.first().ok_or(Error::Protocol("PRELOGIN without a value"))?,
            INSTANCE => {
                let name = data.split(|byte| *byte == 0).next().unwrap_or_default();
                prelogin.instance = String::from_utf8_lossy(name).into_owned();
            }
            _ => {}
        }
    }
}

impl Prelogin {
    /// The table of MS-TDS 2.2.6.5 for this server: the answer, and what follows from it.
    fn negotiate(&self, config: &ServerConfig) -> Result<(u8, Encrypted)> {
        let has_tls = config.tls.is_some() && config.encryption != Encryption::NotSupported;
        let forced = config.encryption == Encryption::Forced;
        match self.encryption {
            OFF | ON | NOT_SUPPORTED | REQUIRED if !has_tls => Ok((NOT_SUPPORTED, Encrypted::Nothing)),
            ON | REQUIRED => Ok((ON, Encrypted::Everything)),
            OFF | NOT_SUPPORTED if forced => Ok((REQUIRED, Encrypted::Everything)),
            OFF => Ok((OFF, Encrypted::LoginOnly)),
            NOT_SUPPORTED => Ok((NOT_SUPPORTED, Encrypted::Nothing)),
            _ => Err(Error::Protocol("PRELOGIN asks for an unknown encryption")),
        }
    }

    /// The server's reply. Under `strict` TLS is there already and nothing is negotiated.
    pub fn reply(&self, config: &ServerConfig, strict: bool) -> Result<(BytesMut, Encrypted)> {
        let (encryption, encrypted) = match strict {
            true => (ON, Encrypted::Everything),
            false => self.negotiate(config)?,
        };
        let version = config.version;
        let [build_high, build_low] = version.build.to_be_bytes();
        let version = [version.major, version.minor, build_high, build_low, 0, 0];
        let options: [(u8, &[u8]); 5] = [
            (VERSION, &version),
            (ENCRYPTION, &[encryption]),
            (INSTANCE, &[u8::from(!self.instance_matches(config))]),
            (THREAD, &[]),
            (MARS, &[0]),
        ];
        let mut reply = BytesMut::new();
        let mut at = options.len() * 5 + 1;
        for (option, data) in options {
            reply.put_u8(option);
            reply.put_u16(at as u16);
            reply.put_u16(data.len() as u16);
            at += data.len();
        }
        reply.put_u8(END);
        for (_, data) in options {
            reply.put_slice(data);
        }
        Ok((reply, encrypted))
    }

    fn instance_matches(&self, config: &ServerConfig) -> bool {
        match &config.instance {
            Some(name) => self.instance.is_empty() || self.instance.eq_ignore_ascii_case(name),
            None => true,
        }
    }
}
