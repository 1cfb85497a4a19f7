use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The version that the hub says it has.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A server on this machine in place of the Hugging Face hub, until the process ends.
pub struct Hub {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// What is asked: `GET` or `HEAD`, and a path without what follows a `?`.
pub struct Request {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
}

/// What is answered.
pub struct Answer {
    /// Such as `200 OK`.
    pub status: &'static str,
    /// Beside the length.
    pub headers: Vec<(&'static str, String)>,
    /// What comes after the headers.
    pub body: Vec<u8>,
    /// The length that is claimed, where that is another than the body's.
    pub claimed: Option<usize>,
}

impl Answer {
    /// `200 OK` with such a body, as the hub answers.
    pub fn with(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers = vec![
            ("etag", format!("\"{}\"", body.len())),
            ("x-repo-commit", COMMIT.to_string()),
        ];
        Answer {
            status: "200 OK",
            headers,
            body,
            claimed: None,
        }
    }

    /// A refusal.
    pub fn refusing(status: &'static str, code: &str) -> Self {
        Answer {
            status,
            headers: vec![("x-error-code", code.to_string())],
            body: br#"{"error":"refused"}"#.to_vec(),
            claimed: None,
        }
    }

    /// What the hub answers that has these files, by path, in the data set `people/faces`.
    pub fn faithful<'a>(
        request: &Request,
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Self {
        let mut files = files.into_iter();
        if let Some(rest) = request.path.strip_prefix("/api/datasets/people/faces") {
            if !rest.starts_with("/tree/") {
                return Answer::with(format!(r#"{{"id":"people/faces","sha":"{COMMIT}"}}"#));
            }
            let entry = |(path, bytes): (&str, &[u8])| {
                let (size, path) = (bytes.len(), path.escape_default());
                format!(r#"{{"type":"file","oid":"{size}","size":{size},"path":"{path}"}}"#)
            };
            let entries: Vec<String> = files.map(entry).collect();
            return Answer::with(format!("[{}]", entries.join(",")));
        }
        let file = request
            .path
            .strip_prefix("/datasets/people/faces/resolve/")
            .and_then(|rest| {
                let version = rest.strip_prefix(COMMIT);
                version.or(rest.strip_prefix("refs/convert/parquet"))
            })
            .and_then(|file| file.strip_prefix('/'));
        match file.and_then(|name| files.find(|(path, _)| *path == name)) {
            Some((_, bytes)) => Answer::with(bytes),
            None => Answer::refusing("404 Not Found", "RepoNotFound"),
        }
    }
}

impl Hub {
    /// Begins to answer, as `answer` says; a request without an answer is left waiting.
    ///
    /// # Errors
    /// A machine without a free port.
    pub fn start(
        answer: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = format!("http://{}", listener.local_addr()?);
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                // A client that hangs up is no failure.
                thread::spawn(move || serve(stream, &*answer, &seen));
            }
        });
        Ok(Hub { address, requests })
    }

    /// Such as `http://127.0.0.1:40123`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What was asked so far, such as `GET /api/datasets/people/faces`.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &(dyn Fn(&Request) -> Option<Answer> + Send + Sync),
    seen: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut header = String::new();
        while reader.read_line(&mut header)? > 2 {
            header.clear();
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(());
        };
        let path = target.split('?').next().unwrap_or_default();
        let request = Request {
            method: method.to_string(),
            path: path.replace("%2F", "/"),
        };
        let mut requests = seen.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(format!("{method} {target}"));
        drop(requests);
        let Some(answer) = answer(&request) else {
            loop {
                thread::park();
            }
        };
        let length = answer.claimed.unwrap_or(answer.body.len());
        let mut head = format!("HTTP/1.1 {}\r\ncontent-length: {length}\r\n", answer.status);
        for (name, value) in &answer.headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        if method == "GET" {
            stream.write_all(&answer.body)?;
        }
        if answer.claimed.is_some() {
            return stream.shutdown(std::net::Shutdown::Both);
        }
    }
}
