//! A server for trying clients: it answers every batch with its text, every call with its
//! parameters. Any user with the password `secret` may log in.
//!
//! `cargo run -p tds-server --example echo_server -- [port] [none|off|forced] [certificate.pem]`
//!
//! `wait` runs until it is cancelled, `progress` sends ten messages in two seconds,
//! `error` fails with 4305 and 3013.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tds_server::{
    async_trait, listen, Answer, Column, Encryption, Flow, Handler, Length, Login, LoginError, RpcCall, ServerConfig,
    ServerMessage, Session, SessionInfo, SqlType, TlsIdentity,
};

struct Echo;

#[async_trait]
impl Handler for Echo {
    async fn login(&self, login: &Login) -> Result<SessionInfo, LoginError> {
        println!("{}: {login:?}, encrypted: {}", login.peer, login.encrypted);
        if !login.integrated && login.password != "secret" {
            return Err(LoginError::login_failed(&login.user));
        }
        Ok(SessionInfo::new(if login.database.is_empty() { "master" } else { &login.database }))
    }

    async fn batch(&self, session: &mut Session, sql: &str, out: &mut Answer) -> Flow {
        println!("{}: batch {sql:?}", session.spid());
        match sql.trim() {
            "wait" => session.cancel_token().cancelled().await,
            "progress" => {
                for percent in (10..=100).step_by(10) {
                    out.info(ServerMessage::new(3211, 10, format!("{percent} percent processed."))).await;
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
            "error" => {
                out.error(ServerMessage::new(4305, 16, "The log in this backup set begins at a later LSN.")).await;
                out.error(ServerMessage::new(3013, 16, "RESTORE LOG is terminating abnormally.")).await;
            }
            // Drivers send their options right after the login and expect no rows.
            text if text.to_ascii_lowercase().starts_with("set ") => out.done(None).await,
            _ => {
                out.columns(vec![Column::new("batch", SqlType::NVarChar(Length::Unlimited))]).await;
                out.row(vec![sql.into()]).await;
                out.done_rows().await;
            }
        }
        Flow::Continue
    }

    async fn rpc(&self, session: &mut Session, call: &RpcCall, out: &mut Answer) -> Flow {
        println!("{}: {call:?}", session.spid());
        out.columns(vec![
            Column::new("name", SqlType::sysname()),
            Column::new("type", SqlType::sysname()),
            Column::new("value", SqlType::NVarChar(Length::Unlimited)),
        ])
        .await;
        for param in call.params() {
            let value = format!("{:?}", param.value);
            out.row(vec![param.name.as_str().into(), param.ty.name().into(), value.into()]).await;
        }
        out.done_rows().await;
        Flow::Continue
    }

    async fn closed(&self, session: &mut Session) {
        println!("{}: closed", session.spid());
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().map_or(Ok(1433), |port| port.parse())?;
    let encryption = match arguments.next().as_deref() {
        None | Some("off") => Encryption::Off,
        Some("none") => Encryption::NotSupported,
        Some("forced") => Encryption::Forced,
        Some(other) => return Err(format!("no such encryption: {other}").into()),
    };
    let identity = Arc::new(TlsIdentity::self_signed(&["localhost", "127.0.0.1"])?);
    if let Some(path) = arguments.next() {
        std::fs::write(path, identity.certificate_pem())?;
    }
    let config = ServerConfig { encryption, tls: Some(identity), ..ServerConfig::default() };
    let server = listen(std::net::TcpListener::bind(("127.0.0.1", port))?, config, Arc::new(Echo))?;
    println!("listening on {}", server.local_addr());
    std::future::pending::<()>().await;
    Ok(())
}
