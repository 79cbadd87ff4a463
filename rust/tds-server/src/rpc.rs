//! RPC requests: procedure calls with typed parameters.

use crate::decode::typed_value;
use crate::error::{Error, Result};
use crate::value::{SqlType, Value};
use crate::wire::Reader;

/// A parameter of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct RpcParam {
    /// With its `@`; empty when the client passed it by position.
    pub name: String,
    /// Its place in the client's call, from 0; OUT values are sent back under it.
    pub ordinal: u16,
    /// An OUT parameter.
    pub by_ref: bool,
    /// The client asks for the default of the procedure.
    pub default: bool,
    pub ty: SqlType,
    pub value: Value,
}

/// What a client calls.
#[derive(Debug, Clone, PartialEq)]
pub enum RpcCall {
    /// A statement with values for its parameters. `sp_executesql` and the prepare
    /// family all come down to it; the parameters carry their declared names.
    Statement { sql: String, params: Vec<RpcParam> },
    /// A procedure by name, as the client wrote it.
    Procedure { name: String, params: Vec<RpcParam> },
}

impl RpcCall {
    pub fn params(&self) -> &[RpcParam] {
        match self {
            Self::Statement { params, .. } | Self::Procedure { params, .. } => params,
        }
    }

    /// The parameter of this name, with or without `@`; the case does not matter.
    pub fn param(&self, name: &str) -> Option<&RpcParam> {
        let name = name.trim_start_matches('@');
        self.params().iter().find(|param| param.name.trim_start_matches('@').eq_ignore_ascii_case(name))
    }
}

/// A call as it stands on the wire; a procedure id is turned into its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WireCall {
    pub name: String,
    pub params: Vec<RpcParam>,
}

/// Names of the procedures that have an id, from 1 on.
const PROCEDURES: [&str; 15] = [
    "sp_cursor",
    "sp_cursoropen",
    "sp_cursorprepare",
    "sp_cursorexecute",
    "sp_cursorprepexec",
    "sp_cursorunprepare",
    "sp_cursorfetch",
    "sp_cursoroption",
    "sp_cursorclose",
    "sp_executesql",
    "sp_prepare",
    "sp_execute",
    "sp_prepexec",
    "sp_prepexecrpc",
    "sp_unprepare",
];

/// More calls or parameters than this are an attack, not a request.
const MAX_CALLS: usize = 1000;
const MAX_PARAMS: usize = 2200;

/// Decodes an RPC message, which holds one call or several.
pub(crate) fn decode(message: &[u8]) -> Result<Vec<WireCall>> {
    let mut reader = Reader::new(message);
    skip_headers(&mut reader)?;
    let mut calls = Vec::new();
    while !reader.is_empty() {
        if calls.len() == MAX_CALLS {
            return Err(Error::Protocol("too many calls in one request"));
        }
        calls.push(call(&mut reader)?);
    }
    if calls.is_empty() {
        return Err(Error::Protocol("a call without a procedure"));
    }
    Ok(calls)
}

/// Skips ALL_HEADERS, which begin with their own total length.
pub(crate) fn skip_headers(reader: &mut Reader<'_>) -> Result<()> {
    let length = reader.u32()? as usize;
    let rest = length.checked_sub(4).ok_or(Error::Protocol("headers of an impossible length"))?;
    reader.take(rest)?;
    Ok(())
}

fn call(reader: &mut Reader<'_>) -> Result<WireCall> {
    let name = match reader.u16()? {
        u16::MAX => {
            let id = usize::from(reader.u16()?);
            let name = id.checked_sub(1).and_then(|index| PROCEDURES.get(index));
            (*name.ok_or(Error::Protocol("an unknown procedure id"))?).to_owned()
        }
        characters => crate::wire::utf16(reader.take(usize::from(characters) * 2)?)?,
    };
    reader.u16()?; // options: recompile, no metadata
    let mut params = Vec::new();
    while let Some(next) = reader.peek() {
        // A name has at most 127 characters, so these can only separate calls.
        if matches!(next, 0x80 | 0xFE | 0xFF) {
            reader.u8()?;
            break;
        }
        if params.len() == MAX_PARAMS {
            return Err(Error::Protocol("too many parameters"));
        }
        let name = reader.b_varchar()?;
        let status = reader.u8()?;
        let (ty, value) = typed_value(reader)?;
        params.push(RpcParam {
            name,
            ordinal: params.len() as u16,
            by_ref: status & 0x01 != 0,
            default: status & 0x02 != 0,
            ty,
            value,
        });
    }
    Ok(WireCall { name, params })
}
