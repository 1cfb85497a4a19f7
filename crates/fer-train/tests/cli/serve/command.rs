//! The command: what it says, what it leaves, how it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::asset;
use super::client::{get, post};
use crate::{fer, stderr};

/// A program that heeds signals, also where whoever started the tests ignores some, as a shell does for
/// what it puts into the background.
fn listening(program: &str) -> Command {
    if cfg!(not(target_os = "linux")) {
        return Command::new(program);
    }
    let mut command = Command::new("env");
    command.args(["--default-signal=INT,TERM,HUP", program]);
    command
}

/// `fer-train serve`, running.
pub(crate) struct Serving {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
    heard: String,
    pub(crate) address: SocketAddr,
}

impl Serving {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = listening(env!("CARGO_BIN_EXE_fer-train"))
            .args(["serve", "--port", "0"])
            .args(arguments)
            .current_dir(folder)
            .env("TMPDIR", folder)
            .env("HOME", folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut heard = String::new();
        let address = loop {
            let mut line = String::new();
            if said.read_line(&mut line).unwrap() == 0 {
                let mut wrong = String::new();
                child
                    .stderr
                    .take()
                    .unwrap()
                    .read_to_string(&mut wrong)
                    .unwrap();
                panic!("it ended: {heard}{wrong}");
            }
            heard.push_str(&line);
            if let Some(address) = line.strip_prefix("page        http://") {
                let address = address.trim_end().trim_end_matches('/');
                break address.replace("localhost", "127.0.0.1").parse().unwrap();
            }
        };
        Serving {
            child,
            said,
            heard,
            address,
        }
    }

    /// Sends a signal and waits; the exit code, and all that it said.
    pub(super) fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
        self.said.read_to_string(&mut self.heard).unwrap();
        let mut errors = String::new();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut errors)
            .unwrap();
        let code = self.child.wait().unwrap().code();
        (code, format!("{}{errors}", self.heard))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(unix)]
#[test]
fn no_picture_is_stored_or_logged_and_ctrl_c_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let address = serving.address;
    assert!(address.ip().is_loopback());
    assert_eq!(
        post(address, "/predict?pixels=true", &asset("astronaut.jpg")).status,
        200
    );
    assert_eq!(post(address, "/explain", &asset("face.png")).status, 200);
    assert_eq!(
        post(address, "/predict", b"a secret and no picture").status,
        415
    );
    assert_eq!(get(address, "/secret?also=secret").status, 404);
    let (code, said) = serving.end("INT");
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 5, "{said}");
    assert!(
        lines[0].starts_with("device      cpu") && lines[3].contains("ended       by Ctrl-C"),
        "{said}"
    );
    assert!(
        lines[1].contains(&format!("http://{address}/"))
            && lines[4].starts_with("model       built in")
    );
    assert!(
        !said.contains("secret") && !said.contains("happy"),
        "{said}"
    );
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_cannot_be_had_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let cases: [(&[&str], i32, &str); 6] = [
        (
            &["--port", &port],
            1,
            "another program has this port: choose another with --port",
        ),
        (
            &["--host", "192.0.2.1"],
            1,
            "this machine has no such address",
        ),
        (
            &["--host", "example.org"],
            2,
            "an IP address of this machine is expected",
        ),
        (
            &["--port", "0", "--allow-host", "http://a/"],
            2,
            "`http://a/` is no name of a host",
        ),
        (&["--port", "70000"], 2, "70000"),
        (
            &["--model", "missing.safetensors"],
            1,
            "missing.safetensors",
        ),
    ];
    for (arguments, code, words) in cases {
        let output = fer(folder.path(), &[&["serve"], arguments].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn whoever_opens_it_to_the_network_is_warned() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(
        folder.path(),
        &["--host", "0.0.0.0", "--allow-host", "faces.example"],
    );
    assert_eq!(get(serving.address, "/health").status, 200);
    let (code, said) = serving.end("TERM");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("warning: whoever reaches this machine"),
        "{said}"
    );
    assert!(said.contains("page        http://localhost:"), "{said}");
}
