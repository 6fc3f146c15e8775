// node ws.js MODULE PORT broadcast|echo
"use strict";

const [module_, port, mode] = process.argv.slice(2);
const { WebSocket, WebSocketServer } = require(module_);

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(port),
  perMessageDeflate: false,
});

server.on("connection", (client) => {
  client.on("error", () => {}); // "close" follows
  client.on("message", (message, isBinary) => {
    if (mode === "echo") {
      client.send(message, { binary: isBinary });
      return;
    }
    for (const each of server.clients) {
      if (each.readyState === WebSocket.OPEN) {
        each.send(message, { binary: isBinary });
      }
    }
  });
});
