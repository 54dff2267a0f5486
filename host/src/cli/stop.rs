//! The signals that stop a command which runs until it is stopped.

use std::io;

/// Returns a future that ends with the first ctrl-c or, on Unix, SIGTERM.
pub(super) fn signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        #[cfg(not(unix))]
        // Without a way to be told, the server runs until the process ends.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// Returns a future that ends with the same, or when the terminal is closed. A server does not use it: it may be meant
/// to outlive its terminal.
pub(super) fn signal_or_hangup() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
    let signal = signal()?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            () = signal => {}
            _ = hangup.recv() => {}
        }
        #[cfg(not(unix))]
        signal.await;
    })
}
