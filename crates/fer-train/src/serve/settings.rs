use std::net::{IpAddr, Ipv4Addr};

use crate::serve::Limits;

/// How a server is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The address to listen on. Default 127.0.0.1: this machine alone.
    pub host: IpAddr,
    /// The port; 0 takes a free one. Default 8047.
    pub port: u16,
    /// Further names by which a request may call the server, such as that of a proxy before it: `NAME` with
    /// any port, or `NAME:PORT`. Default none.
    pub allowed_hosts: Vec<String>,
    /// Whether the model is the one that is built in, for `GET /model`. Default false.
    pub built_in: bool,
    /// What it bears.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8047,
            allowed_hosts: Vec::new(),
            built_in: false,
            limits: Limits::default(),
        }
    }
}
