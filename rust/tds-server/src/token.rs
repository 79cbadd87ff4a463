//! The tokens a server writes, apart from result sets.

use bytes::{BufMut, BytesMut};

use crate::config::{tds_version, ServerVersion};
use crate::encode::put_value;
use crate::message::ServerMessage;
use crate::rpc::RpcParam;
use crate::type_info::put_type_info;
use crate::value::Value;
use crate::wire::{put_b_varchar, put_us_varchar, put_with_length, COLLATION};

pub(crate) const ERROR: u8 = 0xAA;
pub(crate) const INFO: u8 = 0xAB;
pub(crate) const DONE: u8 = 0xFD;
pub(crate) const DONE_PROC: u8 = 0xFE;
pub(crate) const DONE_IN_PROC: u8 = 0xFF;

pub(crate) const DONE_MORE: u16 = 0x0001;
pub(crate) const DONE_ERROR: u16 = 0x0002;
pub(crate) const DONE_COUNT: u16 = 0x0010;
pub(crate) const DONE_ATTENTION: u16 = 0x0020;
pub(crate) const DONE_RPC_IN_BATCH: u16 = 0x0080;
/// The server ends the session.
pub(crate) const DONE_FATAL: u16 = 0x0100;

pub(crate) const COMMAND_SELECT: u16 = 0xC1;
pub(crate) const COMMAND_EXECUTE: u16 = 0xE0;

pub(crate) const ENV_DATABASE: u8 = 1;
pub(crate) const ENV_LANGUAGE: u8 = 2;
pub(crate) const ENV_PACKET_SIZE: u8 = 4;
pub(crate) const ENV_BEGIN: u8 = 8;
pub(crate) const ENV_COMMIT: u8 = 9;
pub(crate) const ENV_ROLLBACK: u8 = 10;
pub(crate) const ENV_MIRROR: u8 = 13;

/// Whether a client of this version reads NBCROW: TDS 7.3B and later, 8.0 included.
pub(crate) fn knows_nbcrow(version: u32) -> bool {
    version >= tds_version::V7_3B || version == tds_version::V8_0
}

/// DONE, DONEPROC or DONEINPROC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub token: u8,
    pub status: u16,
    pub command: u16,
    pub count: u64,
}

impl Done {
    pub fn put(&self, out: &mut BytesMut) {
        out.put_u8(self.token);
        out.put_u16_le(self.status);
        out.put_u16_le(self.command);
        out.put_u64_le(self.count);
    }
}

/// ERROR or INFO. The text is cut where the token would outgrow its length field.
pub(crate) fn put_message(out: &mut BytesMut, token: u8, message: &ServerMessage, server_name: &str) {
    let server = if message.server.is_empty() { server_name } else { &message.server };
    let class = match (token, message.class) {
        (INFO, 10) => 0,
        (_, class) => class,
    };
    out.put_u8(token);
    put_with_length(out, |out| {
        out.put_i32_le(message.number);
        out.put_u8(message.state);
        out.put_u8(class);
        put_us_varchar(out, &message.text, 30_000);
        put_b_varchar(out, server);
        put_b_varchar(out, &message.procedure);
        out.put_u32_le(message.line);
    });
}

/// An ENVCHANGE whose values are strings.
pub(crate) fn put_env_change(out: &mut BytesMut, kind: u8, new: &str, old: &str) {
    out.put_u8(0xE3);
    put_with_length(out, |out| {
        out.put_u8(kind);
        put_b_varchar(out, new);
        put_b_varchar(out, old);
    });
}

/// The collation of the server, sent at login.
pub(crate) fn put_env_collation(out: &mut BytesMut) {
    out.put_u8(0xE3);
    put_with_length(out, |out| {
        out.put_slice(&[7, 5]);
        out.put_slice(&COLLATION);
        out.put_u8(0);
    });
}

/// Begin, commit or rollback, with the descriptors of the transactions.
pub(crate) fn put_env_transaction(out: &mut BytesMut, kind: u8, new: Option<u64>, old: Option<u64>) {
    out.put_u8(0xE3);
    put_with_length(out, |out| {
        out.put_u8(kind);
        for descriptor in [new, old] {
            match descriptor {
                Some(descriptor) => {
                    out.put_u8(8);
                    out.put_u64_le(descriptor);
                }
                None => out.put_u8(0),
            }
        }
    });
}

/// The reset that the client asked for is done.
pub(crate) fn put_env_reset(out: &mut BytesMut) {
    out.put_slice(&[0xE3, 3, 0, 18, 0, 0]);
}

pub(crate) fn put_login_ack(out: &mut BytesMut, version: ServerVersion, tds_version: u32) {
    out.put_u8(0xAD);
    put_with_length(out, |out| {
        out.put_u8(1);
        out.put_u32(tds_version);
        put_b_varchar(out, "Microsoft SQL Server");
        out.put_u8(version.major);
        out.put_u8(version.minor);
        out.put_u16(version.build);
    });
}

/// FEATUREEXTACK of one feature.
pub(crate) fn put_feature_ack(out: &mut BytesMut, feature: u8, data: &[u8]) {
    out.put_u8(0xAE);
    out.put_u8(feature);
    out.put_u32_le(data.len() as u32);
    out.put_slice(data);
    out.put_u8(0xFF);
}

pub(crate) fn put_sspi(out: &mut BytesMut, token: &[u8]) {
    out.put_u8(0xED);
    put_with_length(out, |out| out.put_slice(token));
}

pub(crate) fn put_return_status(out: &mut BytesMut, status: i32) {
    out.put_u8(0x79);
    out.put_i32_le(status);
}

/// RETURNVALUE; a value that does not fit the type of the parameter goes as NULL.
pub(crate) fn put_return_value(out: &mut BytesMut, param: &RpcParam) {
    out.put_u8(0xAC);
    out.put_u16_le(param.ordinal);
    put_b_varchar(out, &param.name);
    out.put_u8(1);
    out.put_u32_le(0);
    out.put_u16_le(0);
    put_type_info(out, &param.ty, true);
    let start = out.len();
    if put_value(out, &param.ty, true, &param.value).is_err() {
        out.truncate(start);
        // NULL fits every type in its nullable form.
        let _ = put_value(out, &param.ty, true, &Value::Null);
    }
}
