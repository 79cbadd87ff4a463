//! Just enough NTLM for a client that insists on Windows authentication: a challenge,
//! and the user name from the client's reply. Nothing is verified.

use bytes::{BufMut, BytesMut};

use crate::error::{Error, Result};
use crate::wire::{from_cp1252, put_utf16, utf16, Reader};

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
const NEGOTIATE: u32 = 1;
const CHALLENGE: u32 = 2;
const AUTHENTICATE: u32 = 3;

const UNICODE: u32 = 0x0000_0001;
/// Unicode, target name, NTLM, always sign, target is a server, extended session
/// security, target info, 128 bits.
const FLAGS: u32 = UNICODE | 0x4 | 0x200 | 0x8000 | 0x0002_0000 | 0x0008_0000 | 0x0080_0000 | 0x2000_0000;

/// Whether a client's first token begins an NTLM exchange.
pub(crate) fn is_negotiate(token: &[u8]) -> bool {
    message_type(token) == Some(NEGOTIATE)
}

fn message_type(token: &[u8]) -> Option<u32> {
    let rest = token.strip_prefix(SIGNATURE)?;
    Reader::new(rest).u32().ok()
}

/// The server's reply to the first token.
pub(crate) fn challenge(server_name: &str) -> BytesMut {
    let host = server_name.split('\\').next().unwrap_or(server_name);
    let mut target = BytesMut::new();
    put_utf16(&mut target, host);
    let mut info = BytesMut::new();
    for id in [2, 1] {
        info.put_u16_le(id);
        info.put_u16_le(target.len() as u16);
        info.put_slice(&target);
    }
    info.put_u32_le(0);

    const FIXED: usize = 48;
    let mut out = BytesMut::new();
    out.put_slice(SIGNATURE);
    out.put_u32_le(CHALLENGE);
    put_field(&mut out, target.len(), FIXED);
    out.put_u32_le(FLAGS);
    // The same for everyone: nobody is proven by it.
    out.put_slice(&[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
    out.put_u64_le(0);
    put_field(&mut out, info.len(), FIXED + target.len());
    out.put_slice(&target);
    out.put_slice(&info);
    out
}

fn put_field(out: &mut BytesMut, length: usize, at: usize) {
    out.put_u16_le(length as u16);
    out.put_u16_le(length as u16);
    out.put_u32_le(at as u32);
}

/// `DOMAIN\name` from the client's last token.
pub(crate) fn claimed_user(token: &[u8]) -> Result<String> {
    if message_type(token) != Some(AUTHENTICATE) {
        return Err(Error::Protocol("the NTLM exchange is out of order"));
    }
    // Signature, type, and the two responses come before domain and user.
    let mut fields = Reader::new(token);
    fields.take(28)?;
    let domain = field(token, &mut fields)?;
    let user = field(token, &mut fields)?;
    let mut flags = Reader::new(token);
    flags.take(60)?;
    let unicode = flags.u32()? & UNICODE != 0;
    let text = |bytes| if unicode { utf16(bytes) } else { Ok(from_cp1252(bytes)) };
    Ok(format!("{}\\{}", text(domain)?, text(user)?))
}

fn field<'a>(token: &'a [u8], fields: &mut Reader<'_>) -> Result<&'a [u8]> {
    let length = usize::from(fields.u16()?);
    fields.u16()?;
    let at = fields.u32()? as usize;
    at.checked_add(length).and_then(|end| token.get(at..end)).ok_or(Error::Protocol("an NTLM field outside its token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authenticate(domain: &str, user: &str) -> BytesMut {
        let (mut names, mut out) = (BytesMut::new(), BytesMut::new());
        put_utf16(&mut names, domain);
        let domain_length = names.len();
        put_utf16(&mut names, user);
        out.put_slice(SIGNATURE);
        out.put_u32_le(AUTHENTICATE);
        out.put_slice(&[0; 16]);
        put_field(&mut out, domain_length, 64);
        put_field(&mut out, names.len() - domain_length, 64 + domain_length);
        out.put_slice(&[0; 16]);
        out.put_u32_le(UNICODE);
        out.put_slice(&names);
        out
    }

    #[test]
    fn the_claimed_user_is_read_and_cut_tokens_are_refused() {
        let token = authenticate("LYNC", "administrator");
        assert_eq!(claimed_user(&token).unwrap(), "LYNC\\administrator");
        assert!((0..token.len()).all(|end| claimed_user(&token[..end]).is_err()));
        assert!(claimed_user(&challenge("SQL01\\RTC")).is_err());
    }

    #[test]
    fn the_challenge_names_the_host_of_the_instance() {
        let challenge = challenge("SQL01\\RTC");
        assert_eq!(message_type(&challenge), Some(CHALLENGE));
        assert_eq!(utf16(&challenge[48..58]).unwrap(), "SQL01");
        assert!(is_negotiate(b"NTLMSSP\0\x01\0\0\0"));
        assert!(!is_negotiate(b"NTLM"));
    }
}
