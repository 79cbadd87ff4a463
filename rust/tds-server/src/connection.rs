//! One client from its first byte to the login.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::config::{tds_version, ServerConfig};
use crate::error::{Error, Result};
use crate::handler::{ConnectDecision, Handler};
use crate::login::{self, Login, SessionInfo, FEATURE_UTF8};
use crate::message::{LoginError, ServerMessage};
use crate::packet::{kind, put_header, read_message, status, Outbox, MAX_LOGIN_MESSAGE};
use crate::prelogin::{self, Encrypted};
use crate::requests::Requests;
use crate::server::{told_to_stop, Reserved, ServerControl};
use crate::session::Session;
use crate::sspi;
use crate::stream::{Tcp, Wrapped};
use crate::token;

type Input = Box<dyn AsyncRead + Send + Unpin>;
type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// The first byte of a TLS handshake, which no TDS packet has.
const TLS_HANDSHAKE: u8 = 0x16;
/// Packets waiting for a slow client before the handler waits too.
const PACKETS_AHEAD: usize = 16;
/// How long the last packets may take when a connection ends.
const DRAIN: Duration = Duration::from_secs(2);

/// Serves one connection until its end, whatever that is.
pub(crate) async fn serve(stream: TcpStream, peer: SocketAddr, control: &ServerControl, handler: Arc<dyn Handler>) {
    let tcp = Tcp::new(stream);
    let mut stopping = control.0.stopping.subscribe();
    let opened = tokio::select! {
        () = told_to_stop(&mut stopping) => return,
        opened = open(&tcp, peer, control, &*handler) => opened,
    };
    // The session has a clone of its own, which it closes before the handler hears of it.
    drop(tcp);
    // A client that breaks the protocol loses its connection, and that is all.
    if let Ok(Some((connection, session))) = opened {
        Requests::new(connection, session, handler, stopping).run().await;
    }
}

/// A client that is logged in.
pub(crate) struct Connection {
    pub tcp: Tcp,
    pub input: Input,
    pub answer: Answer,
    pub writer: Writer,
    /// In force once the login answer, which waits in `answer`, is sent.
    pub packet_size: u16,
    pub reserved: Reserved,
}

/// PRELOGIN, TLS and LOGIN7. `None` when the connection ended in good order.
async fn open(
    tcp: &Tcp,
    peer: SocketAddr,
    control: &ServerControl,
    handler: &dyn Handler,
) -> Result<Option<(Connection, Session)>> {
    match handler.connected(peer).await {
        ConnectDecision::Accept if !control.is_blackhole() => {}
        ConnectDecision::Refuse => {
            tcp.reset_on_close();
            return Ok(None);
        }
        ConnectDecision::Accept | ConnectDecision::Stall => {
            stall(tcp.clone()).await;
            return Ok(None);
        }
    }
    let Some(reserved) = control.reserve() else { return Ok(None) };
    let Some(Opened { input, output, message, encrypted }) = prelogin_and_login(tcp, control.config()).await? else {
        return Ok(None);
    };
    let mut login = login::decode(&message, peer)?;
    login.encrypted = encrypted;
    login.spid = reserved.spid;
    log_in(tcp, input, output, login, reserved, control, handler).await
}

/// Reads what comes and answers nothing, until the client gives up.
async fn stall(mut tcp: Tcp) {
    let mut sink = tokio::io::sink();
    let _ = tokio::io::copy(&mut tcp, &mut sink).await;
}

/// A connection with its LOGIN7 message read, on the transport that carries the rest.
struct Opened {
    input: Input,
    output: Output,
    message: Bytes,
    encrypted: bool,
}

async fn prelogin_and_login(tcp: &Tcp, config: &ServerConfig) -> Result<Option<Opened>> {
    let Some(first) = tcp.peek().await else { return Ok(None) };
    if first == TLS_HANDSHAKE {
        let identity = config.tls.as_ref().ok_or(Error::Protocol("TLS without a certificate"))?;
        let acceptor = TlsAcceptor::from(identity.strict());
        let mut tls = acceptor.accept(Wrapped::bare(tcp.clone())).await?;
        let message = match answer_prelogin(&mut tls, config, true).await? {
            Some((message, _)) => message,
            None => return Ok(None),
        };
        let (input, output) = tokio::io::split(tls);
        return Ok(Some(Opened { input: Box::new(input), output: Box::new(output), message, encrypted: true }));
    }
    let mut clear = tcp.clone();
    let Some((message, encrypted)) = answer_prelogin(&mut clear, config, false).await? else {
        return Ok(None);
    };
    let on_tcp =
        |message| Opened { input: Box::new(tcp.clone()), output: Box::new(tcp.clone()), message, encrypted: false };
    if encrypted == Encrypted::Nothing {
        return Ok(Some(on_tcp(message)));
    }
    let identity = config.tls.as_ref().ok_or(Error::Protocol("TLS without a certificate"))?;
    let acceptor = TlsAcceptor::from(identity.wrapped());
    let mut tls = acceptor.accept(Wrapped::inside_tds(tcp.clone())).await?;
    tls.get_mut().0.unwrap_from_now();
    let Some(message) = read_login(&mut tls).await? else { return Ok(None) };
    if encrypted == Encrypted::LoginOnly {
        // Both sides drop TLS here without a word.
        return Ok(Some(on_tcp(message)));
    }
    let (input, output) = tokio::io::split(tls);
    Ok(Some(Opened { input: Box::new(input), output: Box::new(output), message, encrypted: true }))
}

/// Answers PRELOGIN. Where no handshake follows, reads the LOGIN7 message as well;
/// otherwise the message is empty.
async fn answer_prelogin<S>(stream: &mut S, config: &ServerConfig, strict: bool) -> Result<Option<(Bytes, Encrypted)>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(first) = read_message(stream, MAX_LOGIN_MESSAGE).await? else { return Ok(None) };
    if first.kind != kind::PRELOGIN {
        return Err(Error::Protocol("the first message is not PRELOGIN"));
    }
    let (body, encrypted) = prelogin::decode(&first.body)?.reply(config, strict)?;
    let mut reply = BytesMut::new();
    put_header(&mut reply, kind::ANSWER, status::LAST, body.len(), 0, 1);
    reply.put_slice(&body);
    stream.write_all(&reply).await?;
    stream.flush().await?;
    if !strict && encrypted != Encrypted::Nothing {
        return Ok(Some((Bytes::new(), encrypted)));
    }
    Ok(read_login(stream).await?.map(|message| (message, encrypted)))
}

async fn read_login<R: AsyncRead + Unpin>(input: &mut R) -> Result<Option<Bytes>> {
    match read_message(input, MAX_LOGIN_MESSAGE).await? {
        Some(message) if message.kind == kind::LOGIN7 => Ok(Some(message.body)),
        Some(_) => Err(Error::Protocol("LOGIN7 was expected")),
        None => Ok(None),
    }
}

async fn log_in(
    tcp: &Tcp,
    mut input: Input,
    output: Output,
    mut login: Login,
    mut reserved: Reserved,
    control: &ServerControl,
    handler: &dyn Handler,
) -> Result<Option<(Connection, Session)>> {
    let config = control.config();
    let version = common_version(login.tds_version, config);
    let (writer, packets) = Writer::start(output);
    let outbox = Outbox::new(packets, reserved.spid, 4096);
    let mut answer =
        Answer::new(outbox, config.server_name.clone(), version.unwrap_or(tds_version::V7_2), String::new());

    if login.integrated && sspi::is_negotiate(&login.sspi) {
        token::put_sspi(&mut answer.out.buffer, &sspi::challenge(&config.server_name));
        answer.out.finish().await;
        match read_message(&mut input, MAX_LOGIN_MESSAGE).await? {
            Some(message) if matches!(message.kind, kind::SSPI | kind::LOGIN7) => {
                login.user = sspi::claimed_user(&message.body)?;
                login.sspi = message.body.to_vec();
            }
            _ => return Ok(None),
        }
    }

    let killed = reserved.killed.wait_for(Option::is_some);
    let decision = tokio::select! {
        _ = tcp.gone() => return Ok(None),
        _ = killed => return Ok(None),
        decision = handler.login(&login), if version.is_some() => decision,
        _ = std::future::ready(()), if version.is_none() => Err(too_old()),
    };
    let info = match decision {
        Ok(info) => info,
        Err(refusal) => {
            for message in refusal.messages {
                answer.error(message).await;
            }
            answer.complete().await;
            drop(answer);
            writer.drain(true).await;
            return Ok(None);
        }
    };
    if let Some(spid) = info.spid {
        reserved.move_to(spid);
    }
    login.spid = reserved.spid;
    answer.out.set_spid(reserved.spid);
    let size = info.packet_size.map_or(login.packet_size, u32::from);
    let packet_size = match u16::try_from(size) {
        Ok(size @ 512..=32767) => size,
        _ => config.packet_size.clamp(512, 32767),
    };
    put_login_answer(&mut answer.out.buffer, &login, &info, packet_size, config, version.unwrap_or(tds_version::V7_2));
    answer.logged_in(&info.database);
    // No await from here on: the handler has accepted, so it must hear of the end.

    let session = Session {
        spid: reserved.spid,
        login: Arc::new(login),
        database: info.database,
        language: info.language,
        data: info.data,
        transaction: None,
        cancel: watch::Sender::new(false),
        holds: Arc::default(),
        server: control.clone(),
    };
    Ok(Some((Connection { tcp: tcp.clone(), input, answer, writer, packet_size, reserved }, session)))
}

/// The version both sides speak; `None` for clients older than SQL Server 2005.
fn common_version(client: u32, config: &ServerConfig) -> Option<u32> {
    match client {
        tds_version::V8_0 => Some(client),
        0..=0x7208_FFFF => None,
        _ => Some(client.min(config.version.tds_version())),
    }
}

fn too_old() -> LoginError {
    let text = "This server does not serve clients that speak a version of TDS before 7.2.";
    ServerMessage::new(17836, 20, text).into()
}

/// The tokens of a successful login, in the order real servers send them.
fn put_login_answer(
    out: &mut BytesMut,
    login: &Login,
    info: &SessionInfo,
    packet_size: u16,
    config: &ServerConfig,
    version: u32,
) {
    let server = &config.server_name;
    token::put_env_change(out, token::ENV_DATABASE, &info.database, "");
    let text = format!("Changed database context to '{}'.", info.database);
    token::put_message(out, token::INFO, &ServerMessage::info(5701, text).state(2), server);
    token::put_env_collation(out);
    token::put_env_change(out, token::ENV_LANGUAGE, &info.language, "");
    let text = format!("Changed language setting to {}.", info.language);
    token::put_message(out, token::INFO, &ServerMessage::info(5703, text), server);
    token::put_login_ack(out, config.version, version);
    if let Some(partner) = &info.mirror_partner {
        token::put_env_change(out, token::ENV_MIRROR, partner, "");
    }
    token::put_env_change(out, token::ENV_PACKET_SIZE, &packet_size.to_string(), "4096");
    if login.features.iter().any(|(id, _)| *id == FEATURE_UTF8) {
        token::put_feature_ack(out, FEATURE_UTF8, &[1]);
    }
    token::Done { token: token::DONE, status: 0, command: 0, count: 0 }.put(out);
}

/// The task that writes whole packets, whatever happens to those who make them.
pub(crate) struct Writer {
    task: JoinHandle<Output>,
}

impl Writer {
    pub fn start(mut output: Output) -> (Self, mpsc::Sender<Bytes>) {
        let (packets, mut queue) = mpsc::channel::<Bytes>(PACKETS_AHEAD);
        let task = tokio::spawn(async move {
            while let Some(packet) = queue.recv().await {
                if output.write_all(&packet).await.is_err() || output.flush().await.is_err() {
                    // Dropping the queue tells the senders.
                    break;
                }
            }
            output
        });
        (Self { task }, packets)
    }

    /// Waits until everything is written, once the senders are gone. `orderly` says
    /// goodbye in TLS as well.
    pub async fn drain(mut self, orderly: bool) {
        match tokio::time::timeout(DRAIN, &mut self.task).await {
            Ok(Ok(mut output)) if orderly => {
                let _ = tokio::time::timeout(DRAIN, output.shutdown()).await;
            }
            Ok(_) => {}
            Err(_) => self.task.abort(),
        }
    }
}
