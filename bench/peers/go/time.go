package main

import (
	"sort"
	"sync"
	"syscall"
	"time"
)

// cpuSeconds returns the CPU time of all threads of this process.
func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()).Seconds()
}

// pseudoRandomSleep returns 1 to 1000 ms, the same for every peer: splitmix64 of the task's number.
func pseudoRandomSleep(number uint64) time.Duration {
	mixed := (number + 1) * 0x9e3779b97f4a7c15
	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb
	mixed ^= mixed >> 31
	return time.Duration(1+mixed%1000) * time.Millisecond
}

// Fair: one goroutine per time.Sleep; lateness goes to a slot that was touched before.
func timers(size int) []figure {
	late := make([]uint32, size)
	for i := range late {
		late[i] = ^uint32(0)
	}
	var all sync.WaitGroup
	all.Add(size)
	cpuBefore := cpuSeconds()
	for number := 0; number < size; number++ {
		go func(number int) {
			defer all.Done()
			duration := pseudoRandomSleep(uint64(number))
			deadline := time.Now().Add(duration)
			time.Sleep(duration)
			late[number] = uint32(time.Since(deadline).Microseconds())
		}(number)
	}
	all.Wait()
	cpu := cpuSeconds() - cpuBefore
	sort.Slice(late, func(one, other int) bool { return late[one] < late[other] })
	percentile := func(share float64) float64 { return float64(late[int(float64(size-1)*share)]) }
	return []figure{
		{"timers", "cpu_s", cpu},
		{"timers_late_p50", "us", percentile(0.5)},
		{"timers_late_p99", "us", percentile(0.99)},
		{"timers_late_p99.9", "us", percentile(0.999)},
	}
}

const timeoutTasks = 100

// startOperation starts a goroutine that answers each request on the returned channels.
func startOperation() (chan<- struct{}, <-chan struct{}) {
	begin, done := make(chan struct{}), make(chan struct{})
	go func() {
		for range begin {
			done <- struct{}{}
		}
	}()
	return begin, done
}

// doWithTimeouts begins operations one after another, and waits for each at most 10 s.
func doWithTimeouts(count int) {
	begin, done := startOperation()
	defer close(begin)
	timer := time.NewTimer(10 * time.Second)
	for operation := 0; operation < count; operation++ {
		begin <- struct{}{}
		select {
		case <-done:
		case <-timer.C:
			panic("an operation took 10 s")
		}
		check(timer.Stop(), "the timer had run out")
		timer.Reset(10 * time.Second)
	}
	timer.Stop()
}

// Fair: `select` over the operation and a timer that is used again, as in the documentation of
// Reset. The operation is the answer of another goroutine, for which its caller suspends once.
// Slower were a new timer each time (0.8 x), a goroutine for each operation with a new timer
// (0.6 x) or with context.WithTimeout (0.5 x), and WithTimeout around a Gosched that looks at the
// context afterwards (0.7 x). 100 tasks, so that both workers have work.
func timeouts(size int) []figure {
	each := max(size/timeoutTasks, 1)
	var all sync.WaitGroup
	all.Add(timeoutTasks)
	start := time.Now()
	for task := 0; task < timeoutTasks; task++ {
		go func() {
			defer all.Done()
			doWithTimeouts(each)
		}()
	}
	all.Wait()
	return rate("timeouts", "operations/s", each*timeoutTasks, start)
}
