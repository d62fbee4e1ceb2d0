//! Tokio's side of the benchmark.
//!
//! `tokio_bench WORK [--workers 2] [--size N] [--warm-up W] [--repeat R]` prints for each figure of the work one
//! tab-separated line: `work  tokio  median  unit  min  max`. `--size` is the total number of
//! operations (tasks, requests, values, hops, ...). `tokio_bench echo` is a server: it prints
//! `listening on ADDRESS` and serves until SIGTERM. Exit code 2: wrong usage or no such work.
//!
//! Every work runs inside a spawned task: the thread in `block_on` is not a worker, and a work
//! that ran there would pay a hop between threads for every wake-up.

mod channels;
mod countdown;
mod echo;
mod tasks;
mod time;

use std::future::Future;
use std::pin::Pin;
use tokio::runtime::Runtime;

/// One measured figure of one repetition.
pub struct Figure {
    pub name: &'static str,
    pub unit: &'static str,
    pub value: f64,
}

pub fn figure(name: &'static str, unit: &'static str, value: f64) -> Figure {
    Figure { name, unit, value }
}

type Figures = Pin<Box<dyn Future<Output = Vec<Figure>> + Send>>;

struct Work {
    name: &'static str,
    size: u64,
    run: fn(u64) -> Figures,
}

const WORKS: &[Work] = &[
    Work { name: "spawn", size: 1_000_000, run: |n| Box::pin(tasks::spawn(n)) },
    Work { name: "yield", size: 2_000_000, run: |n| Box::pin(tasks::yields(n)) },
    Work { name: "skynet", size: 1_000_000, run: |n| Box::pin(tasks::skynet(n)) },
    Work { name: "memory", size: 1_000_000, run: |n| Box::pin(tasks::memory(n)) },
    Work { name: "fan_in", size: 4_000_000, run: |n| Box::pin(channels::fan_in(n)) },
    Work {
        name: "fan_in_unbounded",
        size: 4_000_000,
        run: |n| Box::pin(channels::fan_in_unbounded(n)),
    },
    Work { name: "ping_pong", size: 1_000_000, run: |n| Box::pin(channels::ping_pong(n)) },
    Work { name: "coordinator", size: 2_000_000, run: |n| Box::pin(channels::coordinator(n)) },
    Work { name: "ring", size: 2_000_000, run: |n| Box::pin(channels::ring(n)) },
    Work { name: "timers", size: 1_000_000, run: |n| Box::pin(time::timers(n)) },
    Work { name: "timeouts", size: 1_000_000, run: |n| Box::pin(time::timeouts(n)) },
];

struct Options {
    work: String,
    workers: usize,
    size: Option<u64>,
    warm_up: usize,
    repeat: usize,
}

fn usage(problem: &str) -> ! {
    eprintln!("tokio_bench: {problem}");
    eprintln!("usage: tokio_bench WORK [--workers 2] [--size N] [--warm-up W] [--repeat R]");
    let names: Vec<&str> = WORKS.iter().map(|work| work.name).collect();
    eprintln!("works: {} echo", names.join(" "));
    std::process::exit(2);
}

fn parse_options() -> Options {
    let mut arguments = std::env::args().skip(1);
    let work = arguments.next().unwrap_or_else(|| usage("no work named"));
    let mut options = Options { work, workers: 2, size: None, warm_up: 0, repeat: 1 };
    while let Some(name) = arguments.next() {
        let value: u64 = arguments
            .next()
            .and_then(|text| text.parse().ok())
            .filter(|&value| value > 0)
            .unwrap_or_else(|| usage(&format!("{name} needs a positive number")));
        match name.as_str() {
            "--workers" => options.workers = value as usize,
            "--size" => options.size = Some(value),
            "--warm-up" => options.warm_up = value as usize,
            "--repeat" => options.repeat = value as usize,
            _ => usage(&format!("unknown option {name}")),
        }
    }
    options
}

/// One line per figure, over all repetitions.
fn print_figures(repetitions: &[Vec<Figure>]) {
    for (index, first) in repetitions[0].iter().enumerate() {
        let mut values: Vec<f64> = repetitions.iter().map(|figures| figures[index].value).collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        println!(
            "{}\ttokio\t{:.6}\t{}\t{:.6}\t{:.6}",
            first.name,
            (low + high) / 2.0,
            first.unit,
            values[0],
            values[values.len() - 1]
        );
    }
}

fn in_task<F>(runtime: &Runtime, future: F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    runtime.block_on(runtime.spawn(future)).expect("a work must not panic")
}

fn main() {
    let options = parse_options();
    // Both drivers on, as `#[tokio::main]` has them.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.workers)
        .enable_all()
        .build()
        .expect("runtime");
    if options.work == "echo" {
        in_task(&runtime, echo::serve()).expect("echo server");
        return;
    }
    let work = WORKS
        .iter()
        .find(|work| work.name == options.work)
        .unwrap_or_else(|| usage(&format!("no such work: {}", options.work)));
    let size = options.size.unwrap_or(work.size);
    for _ in 0..options.warm_up {
        in_task(&runtime, (work.run)(size));
    }
    let repetitions: Vec<Vec<Figure>> =
        (0..options.repeat).map(|_| in_task(&runtime, (work.run)(size))).collect();
    print_figures(&repetitions);
    // Leave at once: freeing a million idle tasks is not part of any work.
    std::process::exit(0);
}
