//! Pages of other sites, pictures that are none, and what no client should send.

use std::net::SocketAddr;

use fer_train::serve::Limits;

use super::client::{Answer, Connection, get, head, post, post_with};
use super::{Running, asset};

fn ask(address: SocketAddr, request: &str) -> Answer {
    let mut connection = Connection::open(address);
    connection.send(request.as_bytes());
    connection.answer()
}

#[test]
fn only_a_request_that_names_this_server_is_answered() {
    let running = Running::start(Limits::default());
    let (address, port) = (running.address, running.address.port());
    let status = |host: &str| {
        ask(
            address,
            &format!("GET /model HTTP/1.1\r\nHost: {host}\r\n\r\n"),
        )
        .status
    };
    assert_eq!(status(&format!("127.0.0.1:{port}")), 200);
    assert_eq!(status(&format!("localhost:{port}")), 200);
    for host in [
        "evil.example",
        "localhost",
        &format!("evil.example:{port}"),
        &format!("[::1]:{port}"),
    ] {
        assert_eq!(status(host), 421, "{host}");
    }
    let refused = ask(
        address,
        &format!("GET / HTTP/1.1\r\nHost: me.local:{port}\r\n\r\n"),
    );
    assert!(
        refused
            .error()
            .contains(&format!("--allow-host me.local:{port}")),
        "{}",
        refused.error()
    );
    assert_eq!(
        ask(address, "GET / HTTP/1.0\r\n\r\n").status,
        400,
        "no host at all"
    );
    let two = format!("GET / HTTP/1.1\r\nHost: {address}\r\nHost: evil.example\r\n\r\n");
    assert_eq!(ask(address, &two).status, 400);
    let absolute = format!("GET http://evil.example/ HTTP/1.1\r\nHost: {address}\r\n\r\n");
    assert_eq!(ask(address, &absolute).status, 400);
}

#[test]
fn what_pages_of_other_sites_send_is_refused() {
    let running = Running::start(Limits::default());
    let (address, face) = (running.address, asset("face.png"));
    let status = |line: &str| post_with(address, "/predict", &[line], &face).status;
    assert_eq!(status(&format!("Origin: http://{address}")), 200);
    assert_eq!(status("Sec-Fetch-Site: same-origin"), 200);
    for line in [
        "Origin: http://evil.example",
        "Origin: null",
        &format!("Origin: http://localhost:{}", address.port()),
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ] {
        assert_eq!(status(line), 403, "{line}");
    }
    // No page may read an answer either: nothing says that it may.
    let mut connection = Connection::open(address);
    let asked = [
        "Origin: http://evil.example",
        "Access-Control-Request-Method: POST",
    ];
    connection.send(&head("OPTIONS", "/predict", address, &asked));
    let preflight = connection.answer();
    assert_eq!(
        (
            preflight.status,
            preflight.header("access-control-allow-origin")
        ),
        (405, None)
    );
}

#[test]
fn every_answer_carries_the_headers_that_keep_a_page_in_its_bounds() {
    let running = Running::start(Limits::default());
    let address = running.address;
    let answers = [
        get(address, "/"),
        get(address, "/page.js"),
        get(address, "/model"),
        get(address, "/missing"),
        get(address, "/predict"),
        post(address, "/predict", b"no picture"),
        ask(address, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
    ];
    let statuses = answers.each_ref().map(|answer| answer.status);
    assert_eq!(statuses, [200, 200, 200, 404, 405, 415, 421]);
    for answer in &answers {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'")
                && !policy.contains("unsafe")
        );
        for part in [
            "frame-ancestors 'none'",
            "form-action 'none'",
            "base-uri 'none'",
            "connect-src 'self'",
        ] {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        let expected = [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ];
        for (name, value) in expected {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        let permissions = answer.header("permissions-policy").unwrap();
        assert!(
            permissions.starts_with("camera=(self), microphone=()"),
            "{permissions}"
        );
    }
    let kinds = [0, 1].map(|place: usize| answers[place].header("content-type").unwrap());
    assert_eq!(
        kinds,
        ["text/html; charset=utf-8", "text/javascript; charset=utf-8"]
    );
    assert_eq!(answers[4].header("allow"), Some("POST"));
    assert!(answers[3].error().contains("nothing at this address"));
}

#[test]
fn a_broken_or_hostile_picture_gets_its_reason() {
    let running = Running::start(Limits::default());
    let face = asset("face.png");
    let portrait = asset("astronaut.jpg");
    // Claims of 60,000 and of 20,000 pixels a side in colour, with next to nothing behind them.
    let claimed = |side: u32| {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        let start = bytes.len() - 4;
        bytes.extend([side.to_be_bytes(), side.to_be_bytes()].concat());
        bytes.extend([8, 2, 0, 0, 0]);
        let sum = crc32(&bytes[start..]);
        bytes.extend(sum.to_be_bytes());
        bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
        bytes
    };
    let cases: [(&[u8], u16, &str); 8] = [
        (b"", 400, "empty"),
        (b"hello", 415, "cannot be decoded"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            415,
            "cannot be decoded",
        ),
        (&face[..face.len() / 2], 422, "damaged or cut short"),
        (&portrait[..portrait.len() / 2], 422, "damaged or cut short"),
        (b"P5\n0 0\n255\n", 422, "cannot be decoded"),
        (&claimed(60_000), 413, "60000"),
        (&claimed(20_000), 413, "20000"),
    ];
    for (bytes, status, words) in cases {
        let refused = post(running.address, "/predict", bytes);
        let said = refused.error();
        assert!(
            refused.status == status && said.contains(words),
            "{}: {said}",
            refused.status
        );
    }
    let form = ["Content-Type: multipart/form-data; boundary=a"];
    let refused = post_with(running.address, "/predict", &form, b"--a--");
    assert!(refused.status == 415 && refused.error().contains("--data-binary"));
    for query in [
        "detect=maybe",
        "tilt=3",
        "near=1,2,3",
        "risk=2",
        "class=happy",
    ] {
        let refused = post(running.address, &format!("/predict?{query}"), &face);
        let (name, _) = query.split_once('=').unwrap();
        assert!(
            refused.status == 400 && refused.error().contains(name),
            "{query}: {}",
            refused.error()
        );
    }
    assert_eq!(get(running.address, "/health").status, 200, "it goes on");
}

/// The sum that PNG puts behind each of its parts.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(sum & 1))
        })
    };
    !bytes.iter().fold(!0, step)
}
