//! Works on bare tasks: spawn, yield, skynet, memory.

use crate::countdown::Countdown;
use crate::{figure, Figure};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Fair: the handles are dropped and one atomic counter tells the end. Awaiting a million join
/// handles (0.7 x as fast) or a `JoinSet` (0.4 x) was measured too: both visit every task twice.
pub async fn spawn(size: u64) -> Vec<Figure> {
    let all = Countdown::leaked(size);
    let start = Instant::now();
    for _ in 0..size {
        tokio::spawn(async move { all.count_down() });
    }
    all.zero().await;
    vec![figure("spawn", "tasks/s", size as f64 / start.elapsed().as_secs_f64())]
}

const YIELDING_TASKS: u64 = 200;

/// Fair: `yield_now` is Tokio's only way to yield, and 200 joins are nothing beside the yields.
pub async fn yields(size: u64) -> Vec<Figure> {
    let each = (size / YIELDING_TASKS).max(1);
    let start = Instant::now();
    let handles: Vec<JoinHandle<()>> = (0..YIELDING_TASKS)
        .map(|_| {
            tokio::spawn(async move {
                for _ in 0..each {
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for handle in handles {
        handle.await.expect("yielding task");
    }
    let yields = each * YIELDING_TASKS;
    vec![figure("yield", "yields/s", yields as f64 / start.elapsed().as_secs_f64())]
}

const CHILDREN: u64 = 10;

/// Starts the node for the leaves `first .. first + leaves`, which answers with the sum of them.
///
/// A plain function that returns a `JoinHandle` keeps the future's type finite, so that no node
/// needs a box beside its task.
fn skynet_node(first: u64, leaves: u64) -> JoinHandle<u64> {
    tokio::spawn(async move {
        if leaves == 1 {
            return first;
        }
        let part = leaves / CHILDREN;
        let children: [JoinHandle<u64>; CHILDREN as usize] =
            std::array::from_fn(|child| skynet_node(first + child as u64 * part, part));
        let mut sum = 0;
        for child in children {
            sum += child.await.expect("skynet node");
        }
        sum
    })
}

/// Fair: every node and every leaf is one task and the sums come back through the join handles,
/// which the runtime has anyway; no channel, no box, all ten children run at once.
pub async fn skynet(size: u64) -> Vec<Figure> {
    let mut leaves = 1;
    while leaves * CHILDREN <= size {
        leaves *= CHILDREN;
    }
    let start = Instant::now();
    let sum = skynet_node(0, leaves).await.expect("skynet root");
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(sum, leaves * (leaves - 1) / 2, "skynet: wrong sum");
    vec![figure("skynet", "s", seconds)]
}

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("/proc/self/statm");
    let pages: u64 = statm.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("statm");
    // SAFETY: sysconf has no preconditions.
    pages * unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as u64
}

/// A static, as a reference to a counter would make each task 16 bytes larger.
static IDLE_TASKS: AtomicU64 = AtomicU64::new(0);

/// Fair: the smallest task that can serve a bounded channel, its join handle dropped. The senders
/// live in memory touched before the first reading: what counts is the task and its channel.
/// Earlier repetitions stay alive, as freed memory would hide the growth of the next one.
pub async fn memory(size: u64) -> Vec<Figure> {
    IDLE_TASKS.store(0, Ordering::Relaxed);
    let mut senders: Vec<Option<mpsc::Sender<u64>>> = Vec::new();
    senders.resize_with(size as usize, || None);
    let before = resident_bytes();
    for slot in senders.iter_mut() {
        let (sender, mut receiver) = mpsc::channel::<u64>(64);
        *slot = Some(sender);
        tokio::spawn(async move {
            IDLE_TASKS.fetch_add(1, Ordering::Relaxed);
            while receiver.recv().await.is_some() {}
        });
    }
    while IDLE_TASKS.load(Ordering::Relaxed) < size {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let grown = resident_bytes() - before;
    std::mem::forget(senders);
    vec![figure("memory", "bytes", grown as f64 / size as f64)]
}
