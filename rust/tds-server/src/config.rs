//! How a simulated server presents itself.

use std::sync::Arc;

use crate::tls::TlsIdentity;

/// What the server offers in PRELOGIN. Strict clients (TDS 8.0) begin with TLS
/// before PRELOGIN and are served whenever there is a [`TlsIdentity`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// No TLS at all. Real servers are rarely like this: they sign a certificate for themselves.
    NotSupported,
    /// The client chooses: none, for the login packet only, or for everything.
    Off,
    /// "Force encryption": everything is encrypted, whatever the client asked for.
    Forced,
}

/// How a cancelled request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CancelStyle {
    /// The answer cut short, then the acknowledgement as a message of its own. Real servers do this.
    #[default]
    TwoMessages,
    /// The acknowledgement ends the message of the answer; MS-TDS allows it too.
    OneMessage,
}

/// The product version, as PRELOGIN and LOGINACK report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion {
    pub major: u8,
    pub minor: u8,
    pub build: u16,
}

impl ServerVersion {
    pub const SQL_2008_R2: Self = Self::new(10, 50, 6000);
    pub const SQL_2012: Self = Self::new(11, 0, 7001);
    pub const SQL_2014: Self = Self::new(12, 0, 6024);
    pub const SQL_2019: Self = Self::new(15, 0, 4153);

    pub const fn new(major: u8, minor: u8, build: u16) -> Self {
        Self { major, minor, build }
    }

    /// The newest TDS version this server speaks, as LOGINACK writes it.
    pub(crate) fn tds_version(self) -> u32 {
        match (self.major, self.minor) {
            (0..=9, _) => tds_version::V7_2,
            (10, 0..=49) => tds_version::V7_3A,
            (10, _) => tds_version::V7_3B,
            _ => tds_version::V7_4,
        }
    }
}

/// TDS versions as LOGIN7 and LOGINACK carry them.
pub(crate) mod tds_version {
    pub const V7_2: u32 = 0x7209_0002;
    pub const V7_3A: u32 = 0x730A_0003;
    pub const V7_3B: u32 = 0x730B_0003;
    pub const V7_4: u32 = 0x7400_0004;
    /// Strict clients. It is the smallest number of all, so it never takes part in a comparison.
    pub const V8_0: u32 = 0x0800_0000;
}

/// Everything [`listen`](crate::listen) needs to know besides the handler.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    pub encryption: Encryption,
    /// Without one, the server answers as [`Encryption::NotSupported`].
    pub tls: Option<Arc<TlsIdentity>>,
    pub version: ServerVersion,
    /// `@@SERVERNAME`; stands in messages that name no other server.
    pub server_name: String,
    /// The instance a client may ask for in PRELOGIN; `None` matches every name.
    pub instance: Option<String>,
    pub cancel_style: CancelStyle,
    /// Packet size for clients that do not ask for one; a wish from 512 to 32767 is granted.
    pub packet_size: u16,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            encryption: Encryption::NotSupported,
            tls: None,
            version: ServerVersion::SQL_2014,
            server_name: "SQL01".to_owned(),
            instance: None,
            cancel_style: CancelStyle::default(),
            packet_size: 4096,
        }
    }
}
