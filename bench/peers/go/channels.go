package main

import (
	"sync"
	"time"
)

const (
	producers       = 4
	channelCapacity = 1024
)

// Fair: a plain send and `range`, as every guide has them.
func fanIn(size int) []figure {
	each := max(size/producers, 1)
	values := make(chan uint64, channelCapacity)
	var all sync.WaitGroup
	all.Add(producers)
	start := time.Now()
	for producer := 0; producer < producers; producer++ {
		go func() {
			defer all.Done()
			for value := 0; value < each; value++ {
				values <- uint64(value)
			}
		}()
	}
	go func() {
		all.Wait()
		close(values)
	}()
	var sum uint64
	for value := range values {
		sum += value
	}
	check(sum == uint64(producers*(each*(each-1)/2)), "fan_in: wrong sum")
	return rate("fan_in", "values/s", each*producers, start)
}

type request struct {
	value uint64
	reply chan<- uint64
}

func startServer(capacity int) chan<- request {
	requests := make(chan request, capacity)
	go func() {
		for asked := range requests {
			asked.reply <- asked.value + 1
		}
	}()
	return requests
}

// askRepeatedly asks the server count times, one request after another, and checks each answer.
func askRepeatedly(server chan<- request, reply chan uint64, count uint64) {
	for value := uint64(0); value < count; value++ {
		server <- request{value, reply}
		check(<-reply == value+1, "a wrong answer")
	}
}

// Fair: one reply channel for all requests of the client, and no buffer: the one that waits is
// woken with the value in its hand, and runs next. With buffers it was never faster, and often
// slower.
func pingPong(size int) []figure {
	server := startServer(0)
	defer close(server)
	end := make(chan struct{})
	start := time.Now()
	go func() {
		defer close(end)
		askRepeatedly(server, make(chan uint64), uint64(size))
	}()
	<-end
	return rate("ping_pong", "requests/s", size, start)
}

const clients = 8

// Fair: as pingPong, but with buffers, so that no client waits for another and the server never:
// up to twice as fast as without.
func coordinator(size int) []figure {
	each := max(size/clients, 1)
	server := startServer(channelCapacity)
	defer close(server)
	var all sync.WaitGroup
	all.Add(clients)
	start := time.Now()
	for client := 0; client < clients; client++ {
		go func() {
			defer all.Done()
			askRepeatedly(server, make(chan uint64, 1), uint64(each))
		}()
	}
	all.Wait()
	return rate("coordinator", "requests/s", each*clients, start)
}

const (
	ringTasks = 1_000
	tokens    = 100
)

func passOn(from <-chan int, to chan<- int, finished chan<- struct{}) {
	for hopsLeft := range from {
		if hopsLeft == 0 {
			finished <- struct{}{}
		} else {
			to <- hopsLeft - 1
		}
	}
}

// Fair: one channel per goroutine with room for every token, so that no send ever waits; with room
// for one 0.7 x as fast, without a buffer half. Building and tearing down the ring is not timed.
func ring(size int) []figure {
	hopsEach := max(size/tokens, 1)
	finished := make(chan struct{}, tokens)
	links := make([]chan int, ringTasks)
	for i := range links {
		links[i] = make(chan int, tokens)
	}
	for i, from := range links {
		go passOn(from, links[(i+1)%ringTasks], finished)
	}
	start := time.Now()
	for token := 0; token < tokens; token++ {
		// The token's way in is its first hop.
		links[token*ringTasks/tokens] <- hopsEach - 1
	}
	for token := 0; token < tokens; token++ {
		<-finished
	}
	figures := rate("ring", "hops/s", hopsEach*tokens, start)
	for _, link := range links {
		close(link)
	}
	return figures
}
