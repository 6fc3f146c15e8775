/* The floor: a WebSocket server that does nothing but send() a message to everyone.
   sendloop PORT */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_FILES = 65536, GUID_SIZE = 36 };
static int members[MOST_FILES], memberCount;

/* Answer an opening: the key's hash is all that there is to it. */
static void handshake(int fd, char *request) {
    char answer[256], accept[64], *key = strstr(request, "Sec-WebSocket-Key: ");
    uint8_t hash[SHA_DIGEST_LENGTH];
    if (!key) {
        close(fd);
        return;
    }
    key += strlen("Sec-WebSocket-Key: ");
    size_t size = strcspn(key, "\r");
    memmove(request, key, size);
    memcpy(request + size, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", GUID_SIZE);
    SHA1((uint8_t *)request, size + GUID_SIZE, hash);
    EVP_EncodeBlock((uint8_t *)accept, hash, sizeof hash);
    int length = snprintf(answer, sizeof answer,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                          accept);
    send(fd, answer, length, MSG_NOSIGNAL);
    members[memberCount++] = fd;
}

/* Pass each frame on to everyone. It is taken for granted that frames come whole. */
static void relay(uint8_t *bytes, long left) {
    while (left > 6) {
        int size = bytes[1] & 127, head = 2;
        if (size == 126) {
            size = bytes[2] << 8 | bytes[3];
            head = 4;
        }
        uint8_t *mask = bytes + head, *payload = mask + 4, *frame = payload - head;
        uint8_t key[4] = {mask[0], mask[1], mask[2], mask[3]};
        memmove(frame, bytes, head);
        frame[1] &= 127;
        for (int i = 0; i < size; i++)
            payload[i] ^= key[i % 4];
        if ((frame[0] & 15) == 1)
            for (int i = 0; i < memberCount; i++)
                send(members[i], frame, head + size, MSG_NOSIGNAL);
        bytes = payload + size;
        left -= head + 4 + size;
    }
}

int main(int count, char **arguments) {
    static uint8_t buffer[65536];
    static char isMember[MOST_FILES];
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons(count > 1 ? atoi(arguments[1]) : 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1024))
        return perror("sendloop"), 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
                continue;
            }
            long size = recv(fd, buffer, sizeof buffer - 1, 0);
            if (size <= 0)
                epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL); /* one run, one process */
            else if (isMember[fd])
                relay(buffer, size);
            else {
                buffer[size] = 0;
                handshake(fd, (char *)buffer);
                isMember[fd] = 1;
            }
        }
    }
}
