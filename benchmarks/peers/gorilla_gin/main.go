// The design of 2015: a gin route that upgrades, a map of the connections under a
// mutex, and what one says is written to each of them in a loop.
//
//	gorilla_gin PORT broadcast
package main

import (
	"log"
	"os"
	"sync"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
)

var (
	upgrader    = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024}
	mutex       sync.Mutex
	connections = map[*websocket.Conn]bool{}
)

func writeToAll(kind int, payload []byte) {
	mutex.Lock()
	defer mutex.Unlock()
	for conn := range connections {
		if conn.WriteMessage(kind, payload) != nil {
			conn.Close()
			delete(connections, conn)
		}
	}
}

func serve(c *gin.Context) {
	conn, err := upgrader.Upgrade(c.Writer, c.Request, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	mutex.Lock()
	connections[conn] = true
	mutex.Unlock()
	for {
		kind, payload, err := conn.ReadMessage()
		if err != nil {
			break
		}
		writeToAll(kind, payload)
	}
	mutex.Lock()
	delete(connections, conn)
	mutex.Unlock()
}

func main() {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/", serve)
	log.Fatal(engine.Run("127.0.0.1:" + os.Args[1]))
}
