//! Works on timers: timers, timeouts.

use crate::countdown::Countdown;
use crate::{figure, Figure};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// CPU time of all threads of this process.
fn cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec, and the clock always exists.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(failed, 0, "process CPU clock");
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// 1 to 1000 ms, the same for every peer: splitmix64 of the task's number.
fn pseudo_random_sleep(number: u64) -> Duration {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    Duration::from_millis(1 + mixed % 1000)
}

/// Fair: one task per sleep, deadlines from Tokio's own clock; lateness goes to a slot that was
/// touched before, and the end is told as in `spawn`. Tokio's wheel has ticks of 1 ms, rounded up:
/// a millisecond late is its design.
pub async fn timers(size: u64) -> Vec<Figure> {
    let late_us: Vec<AtomicU32> = (0..size).map(|_| AtomicU32::new(u32::MAX)).collect();
    let late_us: &'static [AtomicU32] = Box::leak(late_us.into_boxed_slice());
    let all = Countdown::leaked(size);
    let cpu_before = cpu_seconds();
    for number in 0..size {
        tokio::spawn(async move {
            let deadline = Instant::now() + pseudo_random_sleep(number);
            tokio::time::sleep_until(deadline).await;
            let late = deadline.elapsed().as_micros() as u32;
            late_us[number as usize].store(late, Ordering::Relaxed);
            all.count_down();
        });
    }
    all.zero().await;
    let cpu = cpu_seconds() - cpu_before;
    let mut late: Vec<u32> = late_us.iter().map(|slot| slot.load(Ordering::Relaxed)).collect();
    late.sort_unstable();
    let percentile = |share: f64| f64::from(late[((size - 1) as f64 * share) as usize]);
    vec![
        figure("timers", "cpu_s", cpu),
        figure("timers_late_p50", "us", percentile(0.5)),
        figure("timers_late_p99", "us", percentile(0.99)),
        figure("timers_late_p99.9", "us", percentile(0.999)),
    ]
}

const TIMEOUT_TASKS: u64 = 100;

/// Fair: `tokio::time::timeout`, and an operation that suspends once, as Tokio arms the timer only
/// when the operation was not ready at the first look. 100 tasks, so that both workers have work.
pub async fn timeouts(size: u64) -> Vec<Figure> {
    let each = (size / TIMEOUT_TASKS).max(1);
    let start = Instant::now();
    let tasks: Vec<JoinHandle<()>> = (0..TIMEOUT_TASKS)
        .map(|_| {
            tokio::spawn(async move {
                for _ in 0..each {
                    let operation = tokio::task::yield_now();
                    let in_time = tokio::time::timeout(Duration::from_secs(10), operation).await;
                    assert!(in_time.is_ok());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("task with timeouts");
    }
    let rate = (each * TIMEOUT_TASKS) as f64 / start.elapsed().as_secs_f64();
    vec![figure("timeouts", "operations/s", rate)]
}
