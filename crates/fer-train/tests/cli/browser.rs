//! A headless Chromium, spoken to in its DevTools protocol over a pipe: one JSON message, then a zero
//! byte, on descriptors 3 (to it) and 4 (from it).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The longest that an answer may take, on a machine that has other work too.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one page.
pub(crate) struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: Option<String>,
    last: u64,
    /// What happened so far, the oldest first.
    pub(crate) events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Starts one with an empty profile and an empty page.
    pub(crate) fn start() -> Self {
        Browser::start_with(&[])
    }

    /// Starts one with further flags.
    pub(crate) fn start_with(flags: &[String]) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let directory = format!("--user-data-dir={}", profile.path().display());
        let mut child = Command::new("sh")
            .args([
                "-c",
                "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1",
                "sh",
            ])
            .arg(chromium())
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
            ])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--disable-sync",
            ])
            .args([
                "--disable-component-update",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
            ])
            .args(flags)
            .args(["--remote-debugging-pipe", &directory, "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers
                .read_until(0, &mut message)
                .is_ok_and(|read| read > 0)
            {
                message.pop();
                if sender
                    .send(serde_json::from_slice(&message).unwrap())
                    .is_err()
                {
                    break;
                }
                message.clear();
            }
        });
        let mut browser = Browser {
            child,
            to,
            from,
            session: None,
            last: 0,
            events: Vec::new(),
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", target);
        browser.session = session["sessionId"].as_str().map(String::from);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Asks for something and waits for the answer; what happens meanwhile goes to the events.
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(message.to_string().as_bytes()).unwrap();
        self.to.write_all(&[0]).unwrap();
        self.to.flush().unwrap();
        loop {
            let answer = self.next(method);
            if answer["id"] == json!(self.last) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    fn next(&mut self, what: &str) -> Value {
        let answer = self.from.recv_timeout(PATIENCE);
        answer.unwrap_or_else(|error| panic!("Chromium does not answer {what}: {error}"))
    }

    /// Opens a file and waits until it is loaded.
    pub(crate) fn open(&mut self, path: &Path) {
        self.visit(&format!(
            "file://{}",
            path.canonicalize().unwrap().display()
        ));
    }

    /// Opens an address and waits until it is loaded.
    pub(crate) fn visit(&mut self, address: &str) {
        self.events.clear();
        self.call("Page.navigate", json!({ "url": address }));
        let loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        while !self.events.iter().any(loaded) {
            let event = self.next("Page.navigate");
            self.events.push(event);
        }
        self.settle();
    }

    /// Waits until what was asked for is drawn.
    pub(crate) fn settle(&mut self) {
        self.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
    }

    /// The value of an expression of JavaScript in the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true }),
        );
        let failed = &answer["exceptionDetails"];
        assert!(failed.is_null(), "{expression}: {failed}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression of JavaScript is true, and says how the page stands where it never is.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let start = Instant::now();
        while self.value(expression) != true {
            if start.elapsed() > PATIENCE {
                let text = self.value("document.body.innerText");
                panic!("{expression} never came: {text}, {:?}", self.complaints());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Chooses a file, as a person does in the dialog of an input.
    pub(crate) fn choose(&mut self, selector: &str, file: &Path) {
        let expression = format!("document.querySelector({})", json!(selector));
        let input = self.call("Runtime.evaluate", json!({ "expression": expression }));
        let chosen = json!({ "files": [file], "objectId": input["result"]["objectId"] });
        self.call("DOM.setFileInputFiles", chosen);
    }

    /// Clicks the middle of the first element of a selector, as a mouse does.
    pub(crate) fn click(&mut self, selector: &str) {
        let place = self.value(&format!(
            "(() => {{ const one = document.querySelector({});
             one.scrollIntoView({{ block: 'center', inline: 'center', behavior: 'instant' }});
             const box = one.getBoundingClientRect();
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(selector)
        ));
        for event in ["mousePressed", "mouseReleased"] {
            let button = json!({
                "type": event, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", button);
        }
        self.settle();
    }

    /// Presses and releases a key by its name.
    pub(crate) fn press(&mut self, key: &str, code: u32) {
        let text = match key {
            "Enter" => "\r",
            " " => " ",
            _ => "",
        };
        for event in ["keyDown", "keyUp"] {
            let mut pressed = json!({
                "type": event, "key": key, "code": key, "windowsVirtualKeyCode": code,
            });
            if event == "keyDown" && !text.is_empty() {
                pressed["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", pressed);
        }
        self.settle();
    }

    /// Takes a window of this size, of a phone or not, in a colour scheme, `light` or `dark`.
    pub(crate) fn show(&mut self, (width, height): (u32, u32), mobile: bool, scheme: &str) {
        let scheme = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": scheme }));
        let window = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile,
        });
        self.call("Emulation.setDeviceMetricsOverride", window);
        self.settle();
    }

    /// The bytes that a method gives in base 64 as its `data`.
    pub(crate) fn bytes(&mut self, method: &str, parameters: Value) -> Vec<u8> {
        use base64::Engine;
        let answer = self.call(method, parameters);
        let data = answer["data"].as_str().unwrap();
        base64::engine::general_purpose::STANDARD
            .decode(data)
            .unwrap()
    }

    /// What of the events is a complaint: an exception, an error or warning on the console, a dialog.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let complaint = |event: &&Value| match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Page.javascriptDialogOpening") => true,
            Some("Runtime.consoleAPICalled") => {
                matches!(
                    event["params"]["type"].as_str(),
                    Some("error" | "warning" | "assert")
                )
            }
            Some("Log.entryAdded") => {
                let level = event["params"]["entry"]["level"].as_str();
                matches!(level, Some("error" | "warning"))
            }
            _ => false,
        };
        let complaints = self.events.iter().filter(complaint);
        complaints.map(Value::to_string).collect()
    }

    /// The addresses that were asked for, save those that hold their data themselves.
    pub(crate) fn requests(&self) -> Vec<String> {
        let asked = |event: &&Value| event["method"] == "Network.requestWillBeSent";
        let asked = self.events.iter().filter(asked);
        let addresses = asked.filter_map(|event| event["params"]["request"]["url"].as_str());
        let addresses = addresses.filter(|address| !address.starts_with("data:"));
        addresses.map(String::from).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The browser that `CHROMIUM` names, or the one that is installed.
fn chromium() -> PathBuf {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return named.into();
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let places = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let mut places = places.filter(|place| place.is_file());
    places.next().unwrap_or_else(|| {
        panic!(
            "pages are tested in Chromium, and there is none: install it (on Debian: apt-get \
             install chromium), or name a Chromium or Chrome in the variable CHROMIUM"
        )
    })
}
