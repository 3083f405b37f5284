//! Where to listen.

use std::net::{Ipv4Addr, SocketAddr};

/// What an address to listen on must look like; part of every mistake about one.
pub(crate) const WANTED: &str = "an IP address or `localhost` and a port, for example `127.0.0.1:18789`; a port alone is on this machine only";

/// Reads where to listen: `127.0.0.1:18789`, `[::1]:18789`, `localhost:18789`, or the port alone (`18789`, `:18789`),
/// which is on this machine only. Names other than `localhost` are not looked up: what they stand for may change.
///
/// # Errors
///
/// What an address must look like.
///
/// ```
/// assert_eq!(settings::listen_address("localhost:18789"), settings::listen_address("127.0.0.1:18789"));
/// assert!(settings::listen_address("http://127.0.0.1:18789").is_err());
/// ```
pub fn listen_address(text: &str) -> Result<SocketAddr, &'static str> {
    let text = text.trim();
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let (host, port) = text.rsplit_once(':').unwrap_or(("", text));
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port: u16 = port.parse().ok().filter(|_| is_number).ok_or(WANTED)?;
    match host.to_ascii_lowercase().as_str() {
        "" | "localhost" => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        "*" => Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        _ => Err(WANTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_written_in_several_ways() {
        for (text, address) in [
            ("127.0.0.1:18789", "127.0.0.1:18789"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:18789", "[::1]:18789"),
            ("[::]:8080", "[::]:8080"),
            ("localhost:18789", "127.0.0.1:18789"),
            ("LocalHost:18789", "127.0.0.1:18789"),
            ("18789", "127.0.0.1:18789"),
            (":18789", "127.0.0.1:18789"),
            (" 18789 ", "127.0.0.1:18789"),
            ("*:18789", "0.0.0.0:18789"),
            ("0", "127.0.0.1:0"),
        ] {
            assert_eq!(listen_address(text), Ok(address.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            ":",
            "localhost",
            "127.0.0.1",
            "::1",
            "::1:18789",
            "65536",
            "-1",
            "+80",
            "http://127.0.0.1:18789",
            "example.com:80",
            "127.0.0.1:18789/",
            "[::1]",
            "127.0.0.1:",
            "１８７８９",
            "18 789",
        ] {
            assert!(listen_address(text).is_err(), "{text}");
        }
    }
}
