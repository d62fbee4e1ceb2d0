//! Works on channels: fan_in, ping_pong, coordinator, ring.

use crate::{figure, Figure};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

const PRODUCERS: u64 = 4;
const CHANNEL_CAPACITY: usize = 1024;

fn rate(name: &'static str, unit: &'static str, count: u64, start: Instant) -> Vec<Figure> {
    vec![figure(name, unit, count as f64 / start.elapsed().as_secs_f64())]
}

fn sum_below(count: u64) -> u64 {
    count * (count - 1) / 2
}

/// Fair: `send` and `recv` as every guide has them. `recv_many` came with Tokio 1.37; draining by
/// `try_recv` after each `recv` was measured too and gains nothing.
pub async fn fan_in(size: u64) -> Vec<Figure> {
    let each = (size / PRODUCERS).max(1);
    let (sender, mut receiver) = mpsc::channel(CHANNEL_CAPACITY);
    let start = Instant::now();
    for _ in 0..PRODUCERS {
        let sender = sender.clone();
        tokio::spawn(async move {
            for value in 0..each {
                sender.send(value).await.expect("the consumer is there");
            }
        });
    }
    drop(sender);
    let mut sum = 0;
    while let Some(value) = receiver.recv().await {
        sum += value;
    }
    assert_eq!(sum, PRODUCERS * sum_below(each), "fan_in: wrong sum");
    rate("fan_in", "values/s", each * PRODUCERS, start)
}

/// Fair: the plain unbounded channel; its `send` never waits, so the producers never stop.
pub async fn fan_in_unbounded(size: u64) -> Vec<Figure> {
    let each = (size / PRODUCERS).max(1);
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let start = Instant::now();
    for _ in 0..PRODUCERS {
        let sender = sender.clone();
        tokio::spawn(async move {
            for value in 0..each {
                sender.send(value).expect("the consumer is there");
            }
        });
    }
    drop(sender);
    let mut sum = 0;
    while let Some(value) = receiver.recv().await {
        sum += value;
    }
    assert_eq!(sum, PRODUCERS * sum_below(each), "fan_in_unbounded: wrong sum");
    rate("fan_in_unbounded", "values/s", each * PRODUCERS, start)
}

struct Request {
    value: u64,
    reply: oneshot::Sender<u64>,
}

fn start_server() -> mpsc::Sender<Request> {
    let (sender, mut receiver) = mpsc::channel::<Request>(CHANNEL_CAPACITY);
    tokio::spawn(async move {
        while let Some(request) = receiver.recv().await {
            // A client that went away is no error of the server.
            let _ = request.reply.send(request.value + 1);
        }
    });
    sender
}

/// Asks the server `count` times, one request after another, and checks each answer.
async fn ask_repeatedly(server: mpsc::Sender<Request>, count: u64) {
    for value in 0..count {
        let (reply, answer) = oneshot::channel();
        server.send(Request { value, reply }).await.ok().expect("the server is there");
        assert_eq!(answer.await.expect("an answer"), value + 1);
    }
}

/// Fair: the actor pattern of Tokio's documentation, a oneshot per request. Client and server
/// share a worker's LIFO slot, the fastest path Tokio has.
pub async fn ping_pong(size: u64) -> Vec<Figure> {
    let server = start_server();
    let start = Instant::now();
    tokio::spawn(ask_repeatedly(server, size)).await.expect("client");
    rate("ping_pong", "requests/s", size, start)
}

const CLIENTS: u64 = 8;

/// Fair: as `ping_pong`; the channel has room for every client, so that no send ever waits.
pub async fn coordinator(size: u64) -> Vec<Figure> {
    let each = (size / CLIENTS).max(1);
    let server = start_server();
    let start = Instant::now();
    let clients: Vec<JoinHandle<()>> =
        (0..CLIENTS).map(|_| tokio::spawn(ask_repeatedly(server.clone(), each))).collect();
    for client in clients {
        client.await.expect("client");
    }
    rate("coordinator", "requests/s", each * CLIENTS, start)
}

const RING_TASKS: usize = 1_000;
const TOKENS: u64 = 100;

async fn pass_on(mut from: mpsc::Receiver<u64>, to: mpsc::Sender<u64>, finished: mpsc::Sender<()>) {
    while let Some(hops_left) = from.recv().await {
        let sent = match hops_left {
            0 => finished.send(()).await.is_ok(),
            _ => to.send(hops_left - 1).await.is_ok(),
        };
        assert!(sent, "the ring is whole until the last token is home");
    }
}

/// Fair: one bounded channel per task with room for every token, so that no send ever waits;
/// building and tearing down the ring is not timed.
pub async fn ring(size: u64) -> Vec<Figure> {
    let hops_each = (size / TOKENS).max(1);
    let (finished, mut tokens_home) = mpsc::channel(TOKENS as usize);
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..RING_TASKS).map(|_| mpsc::channel(TOKENS as usize)).unzip();
    let tasks: Vec<JoinHandle<()>> = receivers
        .into_iter()
        .enumerate()
        .map(|(index, from)| {
            let to = senders[(index + 1) % RING_TASKS].clone();
            tokio::spawn(pass_on(from, to, finished.clone()))
        })
        .collect();
    let start = Instant::now();
    for token in 0..TOKENS as usize {
        // The token's way in is its first hop.
        let entry = &senders[token * RING_TASKS / TOKENS as usize];
        entry.send(hops_each - 1).await.expect("the ring is whole");
    }
    for _ in 0..TOKENS {
        tokens_home.recv().await.expect("the ring is whole");
    }
    let figures = rate("ring", "hops/s", hops_each * TOKENS, start);
    tasks.iter().for_each(JoinHandle::abort);
    figures
}
