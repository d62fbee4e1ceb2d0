package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Fair: one WaitGroup, told of all goroutines at once, and no channel. Adding one at a time, `go
// all.Done()` without a closure, and an atomic counter whose last one closes a channel were
// measured too: none is faster.
func spawn(size int) []figure {
	var all sync.WaitGroup
	all.Add(size)
	start := time.Now()
	for task := 0; task < size; task++ {
		go func() { defer all.Done() }()
	}
	all.Wait()
	return rate("spawn", "tasks/s", size, start)
}

const yieldingTasks = 200

// Fair: Gosched is the only way to yield.
func yield(size int) []figure {
	each := max(size/yieldingTasks, 1)
	var all sync.WaitGroup
	all.Add(yieldingTasks)
	start := time.Now()
	for task := 0; task < yieldingTasks; task++ {
		go func() {
			defer all.Done()
			for round := 0; round < each; round++ {
				runtime.Gosched()
			}
		}()
	}
	all.Wait()
	return rate("yield", "yields/s", each*yieldingTasks, start)
}

func max(one, other int) int {
	if one > other {
		return one
	}
	return other
}

const children = 10

// skynetNode is the node for the leaves first .. first + leaves; it answers with the sum of them.
func skynetNode(first, leaves int, answer chan<- int) {
	if leaves == 1 {
		answer <- first
		return
	}
	part := leaves / children
	answers := make(chan int)
	for child := 0; child < children; child++ {
		go skynetNode(first+child*part, part, answers)
	}
	sum := 0
	for child := 0; child < children; child++ {
		sum += <-answers
	}
	answer <- sum
}

// Fair: every node and every leaf is one goroutine, and the ten children of a node share a channel
// without a buffer. One with room for all ten takes as long; a channel for each child takes 1.1 to
// 1.3 times as long.
func skynet(size int) []figure {
	leaves := 1
	for leaves*children <= size {
		leaves *= children
	}
	answer := make(chan int)
	start := time.Now()
	go skynetNode(0, leaves, answer)
	sum := <-answer
	seconds := time.Since(start).Seconds()
	check(sum == leaves*(leaves-1)/2, "skynet: wrong sum")
	return []figure{{"skynet", "s", seconds}}
}

func residentBytes() int {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		panic(err)
	}
	return pages * os.Getpagesize()
}

// keptSenders keeps the tasks of earlier repetitions alive.
var keptSenders [][]chan uint64

// Fair: the smallest goroutine that can serve a channel, and a channel without a buffer; with room
// for 64 numbers each is 610 bytes larger. The channels' list is in memory touched before the first
// reading. Earlier repetitions stay alive, as freed memory would hide the growth of the next one.
func memory(size int) []figure {
	senders := make([]chan uint64, size)
	for i := range senders {
		senders[i] = nil
	}
	keptSenders = append(keptSenders, senders)
	var idle atomic.Int64
	before := residentBytes()
	for i := range senders {
		receiver := make(chan uint64)
		senders[i] = receiver
		go func() {
			idle.Add(1)
			for range receiver {
			}
		}()
	}
	for idle.Load() < int64(size) {
		time.Sleep(time.Millisecond)
	}
	grown := residentBytes() - before
	return []figure{{"memory", "bytes", float64(grown) / float64(size)}}
}
