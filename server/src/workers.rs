//! Where the long-lived workers of a server run: each on a thread of its own, so that none waits for the network's threads,
//! unless whoever starts the server has another place. Never knows what a worker does.

use std::{io, pin::Pin, sync::Arc};
use tokio::sync::oneshot;

/// What a worker does, to its end.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Resolves when a worker has ended; an error means that it did not end well.
pub type Ended = oneshot::Receiver<()>;
/// Takes a worker's name and its work, and sets it going.
pub type Spawn = Arc<dyn Fn(&'static str, Work) -> io::Result<Ended> + Send + Sync>;

/// A thread for each worker.
pub fn threads() -> Spawn {
    Arc::new(on_thread)
}

/// Runs `work` on a thread of its own.
///
/// # Errors
/// The system gives no thread.
pub fn on_thread(name: &'static str, work: Work) -> io::Result<Ended> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let (tell, ended) = oneshot::channel();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        runtime.block_on(work);
        let _ = tell.send(()); // nobody may be waiting for the end
    })?;
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_workers_end_is_heard_and_told_from_its_death() {
        on_thread("well", Box::pin(async {})).unwrap().await.unwrap();
        let died = on_thread("badly", Box::pin(async { panic!("as planned") })).unwrap();
        died.await.unwrap_err();
    }
}
