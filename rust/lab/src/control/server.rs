//! The listener of the control door: one JSON object a line in, one a line out, any number of clients.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{json, Map, Value};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Longest line that is read; a longer one ends the connection.
const LONGEST_LINE: u64 = 8 * 1024 * 1024;

/// What stands behind the door.
#[async_trait]
pub trait Door: Send + Sync + 'static {
    /// Carries out a command with its other members.
    ///
    /// # Errors
    /// A text for the one who asked.
    async fn answer(&self, command: &str, arguments: &Map<String, Value>) -> Result<Value, String>;

    /// The answer to a command that was carried out has left: what would cut it off may happen now.
    fn answered(&self, _command: &str) {}
}

/// The listener; it ends when this is dropped.
#[derive(Debug)]
pub struct ControlServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl ControlServer {
    /// Listens on 127.0.0.1, on a port that is free.
    ///
    /// # Errors
    /// Those of the socket.
    pub async fn start(door: Arc<dyn Door>) -> std::io::Result<ControlServer> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut clients = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => {
                            clients.spawn(serve(stream, Arc::clone(&door)));
                        }
                        // Out of handles for a moment: the listener itself is well.
                        Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                    },
                    Some(_) = clients.join_next() => {}
                }
            }
        });
        Ok(ControlServer { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(stream: TcpStream, door: Arc<dyn Door>) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        match (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let too_long = line.last() != Some(&b'\n') && line.len() as u64 >= LONGEST_LINE;
        if !too_long && line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let (reply, done) =
            if too_long { (refusal("the line is too long"), None) } else { reply(&line, door.as_ref()).await };
        let mut text = reply.to_string().into_bytes();
        text.push(b'\n');
        let sent = writer.write_all(&text).await;
        if let Some(command) = done {
            door.answered(&command);
        }
        if sent.is_err() || too_long {
            return;
        }
    }
}

/// The line to send back, and the command that it says was carried out.
async fn reply(line: &[u8], door: &dyn Door) -> (Value, Option<String>) {
    let (command, arguments) = match request(line) {
        Ok(request) => request,
        Err(error) => return (refusal(error), None),
    };
    match door.answer(&command, &arguments).await {
        Ok(result) => (json!({ "ok": true, "result": result }), Some(command)),
        Err(error) => (refusal(error), None),
    }
}

fn request(line: &[u8]) -> Result<(String, Map<String, Value>), String> {
    let text = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
    let request: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| format!("the line is no JSON: {e}"))?;
    let Value::Object(mut request) = request else {
        return Err("the line is no JSON object".into());
    };
    match request.remove("command") {
        Some(Value::String(command)) => Ok((command, request)),
        _ => Err("the member `command` is missing or no text".into()),
    }
}

fn refusal(error: impl Into<String>) -> Value {
    json!({ "ok": false, "error": error.into() })
}

/// Sends one request to a control door and reads its answer.
///
/// # Errors
/// Those of the socket; `InvalidData` when the answer is no JSON.
pub async fn ask(address: &str, request: &Value) -> std::io::Result<Value> {
    let stream = TcpStream::connect(address).await?;
    let (reader, mut writer) = stream.into_split();
    writer.write_all(format!("{request}\n").as_bytes()).await?;
    let mut line = String::new();
    BufReader::new(reader).read_line(&mut line).await?;
    serde_json::from_str(&line).map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Echo;

    #[async_trait]
    impl Door for Echo {
        async fn answer(&self, command: &str, arguments: &Map<String, Value>) -> Result<Value, String> {
            match command {
                "echo" => Ok(Value::Object(arguments.clone())),
                "slow" => {
                    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
                    Ok(Value::Null)
                }
                other => Err(format!("there is no command {other}")),
            }
        }
    }

    async fn lines(input: &[u8]) -> Vec<Value> {
        let server = ControlServer::start(Arc::new(Echo)).await.unwrap();
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(input).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    #[tokio::test]
    async fn each_line_has_its_answer_and_garbage_ends_nothing() {
        let answers = lines(
            b"{\"command\":\"echo\",\"a\":1}\nnonsense\n[1]\n{\"a\":1}\n{\"command\":7}\n\xff\xfe\n\n{\"command\":\"x\"}\r\n{\"command\":\"echo\"}",
        )
        .await;
        assert_eq!(answers.len(), 8);
        assert_eq!(answers[0], json!({ "ok": true, "result": { "a": 1 } }));
        assert!(answers[1..7].iter().all(|a| a["ok"] == false && a["error"].is_string()), "{answers:?}");
        assert_eq!(answers[6]["error"], "there is no command x");
        assert_eq!(answers[7]["ok"], true);
    }

    #[tokio::test]
    async fn a_slow_command_of_one_client_does_not_hold_another() {
        let server = ControlServer::start(Arc::new(Echo)).await.unwrap();
        let address = server.address().to_string();
        let mut slow = TcpStream::connect(&address).await.unwrap();
        slow.write_all(b"{\"command\":\"slow\"}\n").await.unwrap();
        let answer = ask(&address, &json!({ "command": "echo", "b": "ä" })).await.unwrap();
        assert_eq!(answer["result"]["b"], "ä");
    }

    #[tokio::test]
    async fn an_endless_line_is_refused() {
        let mut input = vec![b' '; LONGEST_LINE as usize];
        input.push(b'x');
        let server = ControlServer::start(Arc::new(Echo)).await.unwrap();
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        // The server may hang up in the middle of it.
        let _ = stream.write_all(&input).await;
        let mut line = String::new();
        let mut reader = BufReader::new(stream);
        if reader.read_line(&mut line).await.is_ok() && !line.is_empty() {
            assert!(line.contains("too long"), "{line}");
        }
        assert_eq!(ask(&server.address().to_string(), &json!({ "command": "echo" })).await.unwrap()["ok"], true);
    }
}
