// A hub: one goroutine knows who is there, and each client has a channel of its own
// from which a goroutine writes.
//
//	gorilla_hub PORT broadcast|echo
//	gorilla_hub PORT tls CERTIFICATE KEY
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/gorilla/websocket"
)

// waiting is how many messages may wait for a client; one more, and it is cut.
const waiting = 256

type client struct {
	conn *websocket.Conn
	send chan *websocket.PreparedMessage
}

var (
	upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	come     = make(chan *client)
	gone     = make(chan *client)
	said     = make(chan *websocket.PreparedMessage, waiting)
)

func hub() {
	clients := map[*client]bool{}
	leave := func(c *client) {
		if clients[c] {
			delete(clients, c)
			close(c.send)
		}
	}
	for {
		select {
		case c := <-come:
			clients[c] = true
		case c := <-gone:
			leave(c)
		case message := <-said:
			for c := range clients {
				select {
				case c.send <- message:
				default:
					leave(c)
				}
			}
		}
	}
}

func (c *client) writePump() {
	defer c.conn.Close()
	for message := range c.send {
		if c.conn.WritePreparedMessage(message) != nil {
			return
		}
	}
}

func (c *client) readPump() {
	defer c.conn.Close()
	defer func() { gone <- c }()
	for {
		kind, payload, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		message, err := websocket.NewPreparedMessage(kind, payload)
		if err != nil {
			return
		}
		said <- message
	}
}

func broadcast(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c := &client{conn, make(chan *websocket.PreparedMessage, waiting)}
	come <- c
	go c.writePump()
	go c.readPump()
}

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		kind, payload, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, payload) != nil {
			return
		}
	}
}

func main() {
	address, mode := "127.0.0.1:"+os.Args[1], os.Args[2]
	go hub()
	if mode == "echo" {
		http.HandleFunc("/", echo)
	} else {
		http.HandleFunc("/", broadcast)
	}
	if mode == "tls" {
		log.Fatal(http.ListenAndServeTLS(address, os.Args[3], os.Args[4], nil))
	}
	log.Fatal(http.ListenAndServe(address, nil))
}
