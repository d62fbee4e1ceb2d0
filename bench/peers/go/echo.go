package main

import (
	"fmt"
	"net"
	"os"
)

// serveEcho serves until SIGTERM, whose default action ends it.
//
// Fair: package net as every Go server has it, one goroutine per connection and a buffer of its
// own. Nagle's algorithm is off in it by default.
func serveEcho() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	for {
		// A connection reset in the backlog is no reason to stop serving the others.
		if connection, err := listener.Accept(); err == nil {
			go echo(connection)
		}
	}
}

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 4096)
	for {
		count, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err = connection.Write(buffer[:count]); err != nil {
			return
		}
	}
}
