//! The answer to a caller for whom there is no place: a short one, sent without reading the request.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWrite;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// Most callers that get the answer at once. The connections of others are closed.
const TOLD_AT_ONCE: usize = 16;

/// How long a caller has to take the answer.
const PATIENCE: Duration = Duration::from_secs(1);

const BODY: &str = r#"{"type":"urn:loadout:problem:server.busy","title":"server.busy","status":503,"code":"server.busy","detail":"too many connections have a request in flight, and nothing was done: come again after the seconds of `Retry-After`"}"#;

/// Tells callers that there is no place.
pub(super) struct TurnedAway(Arc<Semaphore>);

impl TurnedAway {
    /// No caller was turned away yet.
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(TOLD_AT_ONCE)))
    }

    /// Tells a caller, if not too many are being told.
    pub(super) fn tell(&self, stream: TcpStream) {
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else { return };
        tokio::spawn(async move {
            // A caller who takes nothing, or is gone, need not be told.
            let _ = tokio::time::timeout(PATIENCE, tell(stream)).await;
            drop(permit);
        });
    }
}

async fn tell(mut stream: TcpStream) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    stream.writable().await?;
    // So little fits into the buffer of every new connection.
    stream.try_write(answer.as_bytes())?;
    poll_fn(|context| Pin::new(&mut stream).poll_shutdown(context)).await?;
    // What the caller still sends is taken, since closing before would take the answer away from it.
    let mut taken = [0; 4096];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut taken) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
