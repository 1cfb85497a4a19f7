//! HTTP by hand: what a browser would never send must be sent as well.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The reason of a refusal.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap().to_string()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        values.next().map(|(_, value)| value)
    }
}

/// A connection.
pub(crate) struct Connection {
    from: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        let patience = Some(Duration::from_secs(120));
        stream.set_read_timeout(patience).unwrap();
        Connection {
            from: BufReader::new(stream),
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.from.get_mut().write_all(bytes).unwrap();
    }

    /// Sends what the other side may not want to hear any more; whether it took it.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.from.get_mut().write_all(bytes).is_ok()
    }

    pub(crate) fn answer(&mut self) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.from.read_line(&mut head).unwrap();
            assert!(read > 0, "the connection ended after {head:?}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer {
            status,
            head,
            body: Vec::new(),
        };
        let length = answer.header("content-length").unwrap_or("0");
        answer.body = vec![0; length.parse().unwrap()];
        self.from.read_exact(&mut answer.body).unwrap();
        answer
    }

    /// Waits until the other side ends the connection, and says what it still sent.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.from.read_to_end(&mut rest) {
            Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
            _ => rest,
        }
    }
}

/// The head of a request, with its own lines after the name of the host.
pub(crate) fn head(method: &str, path: &str, address: SocketAddr, lines: &[&str]) -> Vec<u8> {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n{lines}\r\n").into_bytes()
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    let mut connection = Connection::open(address);
    connection.send(&head("GET", path, address, &[]));
    connection.answer()
}

pub(crate) fn post(address: SocketAddr, path: &str, body: &[u8]) -> Answer {
    post_with(address, path, &[], body)
}

pub(crate) fn post_with(address: SocketAddr, path: &str, lines: &[&str], body: &[u8]) -> Answer {
    let length = format!("Content-Length: {}", body.len());
    let lines = [&[length.as_str()], lines].concat();
    let mut connection = Connection::open(address);
    connection.send(&head("POST", path, address, &lines));
    connection.try_send(body);
    connection.answer()
}
