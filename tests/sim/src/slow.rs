//! A worker that needs time for what it does: between being woken and working lies a drawn pause. So jobs gather before a
//! slow disk, as they do before a real one. Never changes what the worker does.

use crate::dice::Dice;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// A future whose polls are late.
pub(crate) struct Slow {
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
    pause: Option<Pin<Box<Sleep>>>,
    begun: bool,
    dice: Dice,
    /// Longest pause, milliseconds.
    most_ms: u64,
}

impl Slow {
    pub(crate) fn new(work: Pin<Box<dyn Future<Output = ()> + Send>>, dice: Dice, most_ms: u64) -> Self {
        Self { work, pause: None, begun: false, dice, most_ms }
    }
}

impl Future for Slow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.begun && self.most_ms > 0 {
            let most_ms = self.most_ms;
            if self.pause.is_none() {
                let ms = self.dice.below(most_ms + 1);
                self.pause = Some(Box::pin(sleep(Duration::from_millis(ms))));
            }
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(context));
            }
            self.pause = None;
        }
        self.begun = true;
        self.work.as_mut().poll(context)
    }
}
