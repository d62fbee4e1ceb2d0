// Go's side of the benchmark.
//
// `go_bench WORK [--workers 2] [--size N] [--warm-up W] [--repeat R]` prints for each figure of the
// work one tab-separated line: `work  go  median  unit  min  max`. `--size` is the total number of
// operations (goroutines, requests, values, hops, ...). `go_bench echo` is a server: it prints
// `listening on ADDRESS` and serves until SIGTERM. Exit code 2: wrong usage or no such work.
//
// Fair: GOMAXPROCS is the number of workers, and the garbage collector is as every program has it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sort"
	"time"
)

// figure is one measured figure of one repetition.
type figure struct {
	name, unit string
	value      float64
}

func rate(name, unit string, count int, start time.Time) []figure {
	return []figure{{name, unit, float64(count) / time.Since(start).Seconds()}}
}

// check ends the program where a result is wrong.
func check(isRight bool, what string) {
	if !isRight {
		panic(what)
	}
}

type work struct {
	name string
	size int
	run  func(size int) []figure
}

var works = []work{
	{"spawn", 1_000_000, spawn},
	{"yield", 2_000_000, yield},
	{"skynet", 1_000_000, skynet},
	{"memory", 1_000_000, memory},
	{"fan_in", 4_000_000, fanIn},
	{"ping_pong", 1_000_000, pingPong},
	{"coordinator", 2_000_000, coordinator},
	{"ring", 2_000_000, ring},
	{"timers", 1_000_000, timers},
	{"timeouts", 1_000_000, timeouts},
}

func usage(problem string) {
	fmt.Fprintf(os.Stderr, "go_bench: %s\n", problem)
	fmt.Fprintln(os.Stderr,
		"usage: go_bench WORK [--workers 2] [--size N] [--warm-up W] [--repeat R]")
	fmt.Fprint(os.Stderr, "works:")
	for _, known := range works {
		fmt.Fprintf(os.Stderr, " %s", known.name)
	}
	fmt.Fprintln(os.Stderr, " echo")
	os.Exit(2)
}

type options struct {
	workers, size, warmUp, repeat uint
}

func parseOptions(arguments []string) options {
	var given options
	flags := flag.NewFlagSet("go_bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.UintVar(&given.workers, "workers", 2, "")
	flags.UintVar(&given.size, "size", 0, "")
	flags.UintVar(&given.warmUp, "warm-up", 0, "")
	flags.UintVar(&given.repeat, "repeat", 1, "")
	if err := flags.Parse(arguments); err != nil {
		usage(err.Error())
	}
	flags.Visit(func(option *flag.Flag) {
		if option.Value.String() == "0" {
			usage(option.Name + " needs a positive number")
		}
	})
	if flags.NArg() > 0 {
		usage("unknown argument " + flags.Arg(0))
	}
	return given
}

func find(name string) work {
	for _, known := range works {
		if known.name == name {
			return known
		}
	}
	usage("no such work: " + name)
	return work{}
}

// printFigures prints one line per figure, over all repetitions.
func printFigures(repetitions [][]figure) {
	for index, first := range repetitions[0] {
		values := make([]float64, 0, len(repetitions))
		for _, figures := range repetitions {
			values = append(values, figures[index].value)
		}
		sort.Float64s(values)
		last := len(values) - 1
		median := (values[last/2] + values[len(values)/2]) / 2
		fmt.Printf("%s\tgo\t%.6f\t%s\t%.6f\t%.6f\n",
			first.name, median, first.unit, values[0], values[last])
	}
}

func main() {
	if len(os.Args) < 2 {
		usage("no work named")
	}
	name := os.Args[1]
	given := parseOptions(os.Args[2:])
	runtime.GOMAXPROCS(int(given.workers))
	if name == "echo" {
		serveEcho()
	}
	chosen := find(name)
	size := int(given.size)
	if size == 0 {
		size = chosen.size
	}
	for ; given.warmUp > 0; given.warmUp-- {
		chosen.run(size)
	}
	var repetitions [][]figure
	for ; given.repeat > 0; given.repeat-- {
		repetitions = append(repetitions, chosen.run(size))
	}
	printFigures(repetitions)
}
