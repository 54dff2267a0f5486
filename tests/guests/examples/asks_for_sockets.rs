//! Opens a connection.

use loadout_test_guests::{rule, shown};

rule!(|_| {
    let connected = std::net::TcpStream::connect("127.0.0.1:80").is_ok();
    shown(format!(r#"{{"connected":{connected}}}"#))
});
