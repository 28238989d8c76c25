//! Just enough HTTP: a page to scrape, and a client that asks one thing.

use std::net::SocketAddr;

use scaling_telemetry::Format;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::fixture::Controller;

/// Serves the controller's figures at every path; each scrape finds that it has ticked once more.
pub(crate) async fn serve(controller: Controller) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            answer(socket, &controller).await;
        }
    });
    address
}

async fn answer(mut socket: TcpStream, controller: &Controller) {
    let request = head(&mut socket).await;
    let accept = request.lines().find_map(|line| {
        line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("accept")).map(|(_, value)| value)
    });
    controller.tick();
    let format = Format::negotiate(accept, Format::Prometheus).unwrap();
    let (kind, body) = (format.content_type(), controller.metrics().render(format));
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    // A server that is being ended does not wait for the answer.
    drop(socket.write_all(answer.as_bytes()).await);
}

async fn head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// The body that answers a request, or `None` where nobody does.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut socket = TcpStream::connect(address).await.ok()?;
    // HTTP 1.0 has no chunks.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    socket.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.ok()?;
    Some(answer.split_once("\r\n\r\n")?.1.to_owned())
}

/// A text as part of a query string.
pub(crate) fn encode(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}
