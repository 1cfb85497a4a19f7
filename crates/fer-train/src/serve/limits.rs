use std::thread::available_parallelism;
use std::time::Duration;

/// What a server bears. One picture is decoded within [`fer_data::MOST_MEMORY`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at once; further ones wait until one of these ends. Default 512.
    pub connections: usize,
    /// Pictures that are received, waited for and worked on at once; for further ones the answer is 503.
    /// Default 256.
    pub pictures: usize,
    /// Pictures that are decoded and searched for faces at once, while the others wait their turn; and the
    /// threads that ask the network. Default: as many as the machine has cores, at most 8.
    pub at_work: usize,
    /// Bytes of one body. Default 32 MiB.
    pub body: usize,
    /// Bytes of all bodies at once; where they would be more, the answer is 503. Default 256 MiB.
    pub bodies: usize,
    /// The longest that the head of a request may take, and so also that a connection may idle. Default
    /// 10 seconds.
    pub head: Duration,
    /// The longest that a body may take. Default 30 seconds.
    pub receive: Duration,
    /// The longest that waiting and working may take before the answer is 503. Default 60 seconds.
    pub answer: Duration,
    /// The longest that a client may leave an answer unread. Default 30 seconds.
    pub send: Duration,
    /// The longest that requests in flight may still take when the server is asked to end. Default 10
    /// seconds.
    pub ending: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 512,
            pictures: 256,
            at_work: available_parallelism().map_or(1, usize::from).min(8),
            body: 32 << 20,
            bodies: 256 << 20,
            head: Duration::from_secs(10),
            receive: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            send: Duration::from_secs(30),
            ending: Duration::from_secs(10),
        }
    }
}
