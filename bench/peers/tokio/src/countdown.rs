//! One wait for very many tasks.

use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// Counts down to zero and then wakes the one task that waits.
pub struct Countdown {
    left: AtomicU64,
    reached_zero: Notify,
}

impl Countdown {
    /// Leaked on purpose: a `&'static` costs a task no reference count, which an `Arc` would.
    pub fn leaked(count: u64) -> &'static Countdown {
        let reached_zero = Notify::new();
        Box::leak(Box::new(Countdown { left: AtomicU64::new(count), reached_zero }))
    }

    pub fn count_down(&self) {
        // AcqRel: the waiting task sees what every other task wrote before it counted.
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.reached_zero.notify_one();
        }
    }

    pub async fn zero(&self) {
        self.reached_zero.notified().await;
    }
}
