//! What is sent too large, too slowly or too often, and how the server ends.

use std::time::{Duration, Instant};

use fer_train::serve::Limits;

use super::client::{Connection, get, head, post};
use super::{Running, asset};

const SHORT: Duration = Duration::from_millis(400);

/// A request whose picture does not come.
fn unfinished(running: &Running) -> Connection {
    let mut connection = Connection::open(running.address);
    let lines = ["Content-Length: 1000"];
    connection.send(&head("POST", "/predict", running.address, &lines));
    connection.send(b"P5\n");
    connection
}

#[test]
fn a_body_that_is_too_large_is_refused_with_its_length_or_without() {
    let limits = Limits {
        body: 1 << 20,
        ..Limits::default()
    };
    let running = Running::start(limits);
    let address = running.address;
    let refused = post(address, "/predict", &vec![0; (1 << 20) + 1]);
    assert_eq!(refused.status, 413);
    assert!(refused.error().contains("1 MiB"), "{}", refused.error());

    let mut connection = Connection::open(address);
    connection.send(&head(
        "POST",
        "/predict",
        address,
        &["Transfer-Encoding: chunked"],
    ));
    let chunk = [b"10000\r\n".as_slice(), &[0; 0x10000], b"\r\n"].concat();
    for _ in 0..17 {
        connection.try_send(&chunk);
    }
    connection.try_send(b"0\r\n\r\n");
    assert_eq!(connection.answer().status, 413);

    // Whoever asks first whether it may come is told at once.
    let mut connection = Connection::open(address);
    let lines = ["Content-Length: 99999999999", "Expect: 100-continue"];
    connection.send(&head("POST", "/predict", address, &lines));
    assert_eq!(connection.answer().status, 413);
    assert_eq!(get(address, "/health").status, 200);
}

#[test]
fn a_slow_head_is_cut_off_and_a_slow_body_is_told_why() {
    let limits = Limits {
        head: SHORT,
        receive: SHORT,
        ..Limits::default()
    };
    let running = Running::start(limits);
    let start = Instant::now();
    let mut silent = Connection::open(running.address);
    let mut slow = Connection::open(running.address);
    slow.send(b"GET / HTTP/1.1\r\nHost: ");
    let mut body = unfinished(&running);
    let refused = body.answer();
    assert_eq!(refused.status, 408);
    silent.end();
    slow.end();
    assert!(start.elapsed() >= SHORT, "{:?}", start.elapsed());
    // A head that never ends is cut off by its length.
    let mut endless = Connection::open(running.address);
    endless.send(b"GET / HTTP/1.1\r\n");
    while endless.try_send(&[b'a'; 4096]) {}
    assert_eq!(get(running.address, "/health").status, 200);
}

#[test]
fn where_all_places_are_taken_the_next_is_told_when_to_try_again() {
    let limits = Limits {
        pictures: 2,
        ..Limits::default()
    };
    let running = Running::start(limits);
    let face = asset("face.png");
    // Who is told to go on has a place.
    let waiting = [0, 1].map(|_| {
        let mut connection = Connection::open(running.address);
        let lines = ["Content-Length: 1000", "Expect: 100-continue"];
        connection.send(&head("POST", "/predict", running.address, &lines));
        assert_eq!(connection.answer().status, 100);
        connection
    });
    let refused = post(running.address, "/predict", &face);
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1"))
    );
    assert!(refused.error().contains("try again"));
    assert_eq!(
        get(running.address, "/health").status,
        200,
        "all else is answered"
    );
    drop(waiting);
    let start = Instant::now();
    while post(running.address, "/predict", &face).status != 200 {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "who goes away leaves the place"
        );
    }
}

#[test]
fn the_memory_of_all_bodies_together_is_bounded() {
    let limits = Limits {
        bodies: 64 << 10,
        ..Limits::default()
    };
    let running = Running::start(limits);
    let refused = post(running.address, "/predict", &vec![0; 100 << 10]);
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1"))
    );
    let answered = post(running.address, "/predict", &asset("face.png"));
    assert_eq!(answered.status, 200, "the memory was given back");
}

#[test]
fn waiting_has_an_end() {
    let limits = Limits {
        answer: Duration::ZERO,
        ..Limits::default()
    };
    let running = Running::start(limits);
    let refused = post(running.address, "/predict", &asset("astronaut.jpg"));
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1"))
    );
}

#[test]
fn connections_beyond_the_limit_wait_until_idle_ones_are_closed() {
    let limits = Limits {
        connections: 8,
        head: SHORT,
        ..Limits::default()
    };
    let running = Running::start(limits);
    let idle: Vec<Connection> = (0..100)
        .map(|_| Connection::open(running.address))
        .collect();
    let start = Instant::now();
    drop(idle.into_iter().skip(50));
    assert_eq!(get(running.address, "/health").status, 200);
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn it_ends_in_order() {
    let mut running = Running::start(Limits::default());
    let portrait = asset("astronaut.jpg");
    let mut connection = Connection::open(running.address);
    let lines = [format!("Content-Length: {}", portrait.len())];
    connection.send(&head("POST", "/predict", running.address, &[&lines[0]]));
    let (first, last) = portrait.split_at(portrait.len() / 2);
    connection.send(first);
    // A request that is under way is answered, an idle connection is closed, and nobody new is let in.
    let mut idle = Connection::open(running.address);
    idle.send(&head("GET", "/health", running.address, &[]));
    assert_eq!(idle.answer().status, 200);
    let ending = std::thread::spawn(move || running.end());
    idle.end();
    connection.send(last);
    let answer = connection.answer();
    assert_eq!(
        (answer.status, &answer.json()[0]["expression"]),
        (200, &"happy".into())
    );
    ending.join().unwrap();
}

#[test]
fn it_does_not_wait_for_ever_when_it_ends() {
    let limits = Limits {
        ending: SHORT,
        ..Limits::default()
    };
    let mut running = Running::start(limits);
    let _stalled = unfinished(&running);
    assert_eq!(get(running.address, "/health").status, 200);
    let start = Instant::now();
    running.end();
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}
