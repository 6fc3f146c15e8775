/* Sockets and frames. One thread, one epoll; frames are read by their headers. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Twisted and others let 50 connections wait to be accepted. */
enum { OPENINGS_AT_ONCE = 32, PER_ADDRESS = 4000, BUFFER_SIZE = 256 * 1024 };
enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };

void (*onMessage)(Client *client, int64_t now);
void (*onTurn)(int64_t now);

static const Options *options;
static SSL_CTX *context;
static int epoll, opened;
static uint8_t buffer[STASH_SIZE + BUFFER_SIZE];

void clientsBegin(const Options *given) {
    options = given;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (options->tls)
        context = SSL_CTX_new(TLS_client_method());
}

static void watch(Client *client, int operation, int events) {
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (epoll_ctl(epoll, operation, client->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

void ignoreClient(Client *client) { watch(client, EPOLL_CTL_DEL, 0); }
void heedClient(Client *client) { watch(client, EPOLL_CTL_ADD, EPOLLIN); }

static void end(Client *client) {
    if (client->state != OPEN)
        fail("opening %d was refused: %.60s", client->number, client->head);
    client->state = ENDED;
    close(client->fd);
}

/* Answer what was read: above 0; 0: nothing is there now; -1: the end. */
static int receive(Client *client, void *into, int size) {
    if (client->tls) {
        int got = SSL_read(client->tls, into, size);
        if (got > 0)
            return got;
        return SSL_get_error(client->tls, got) == SSL_ERROR_WANT_READ ? 0 : -1;
    }
    int got = recv(client->fd, into, size, 0);
    if (got > 0)
        return got;
    return got < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static int trySend(Client *client, const void *bytes, int size) {
    int sent = send(client->fd, bytes, size, MSG_NOSIGNAL);
    if (sent >= 0)
        return sent;
    if (errno == EPIPE || errno == ECONNRESET)
        return size; /* what was sent to us is still to be read */
    if (errno != EAGAIN)
        fail("send: %s", strerror(errno));
    return 0;
}

/* Keep what the server does not read at once; it is late, but it is not lost. */
static void keep(Client *client, const uint8_t *bytes, int size) {
    if (!client->unsent)
        watch(client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    client->unsent = realloc(client->unsent, client->unsentTo + size);
    memcpy(client->unsent + client->unsentTo, bytes, size);
    client->unsentTo += size;
}

static void sendKept(Client *client) {
    size_t left = client->unsentTo - client->unsentFrom;
    int most = left < BUFFER_SIZE ? (int)left : BUFFER_SIZE;
    client->unsentFrom += trySend(client, client->unsent + client->unsentFrom, most);
    if (client->unsentFrom < client->unsentTo)
        return;
    free(client->unsent);
    client->unsent = NULL;
    client->unsentFrom = client->unsentTo = 0;
    watch(client, EPOLL_CTL_MOD, EPOLLIN);
}

static void transmit(Client *client, const uint8_t *bytes, int size) {
    if (client->state == ENDED)
        return; /* the server has cut it: nobody hears this, and it counts as lost */
    if (client->tls) {
        if (SSL_write(client->tls, bytes, size) != size)
            fail("the server does not read what is sent to it");
        return;
    }
    int sent = client->unsent ? 0 : trySend(client, bytes, size);
    if (sent < size)
        keep(client, bytes + sent, size - sent);
}

static void sendFrame(Client *client, int opcode, const void *payload, int size) {
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    static uint8_t frame[8 + LARGEST_MESSAGE];
    int at = 2;
    frame[0] = 0x80 | opcode;
    frame[1] = 0x80 | (size < 126 ? size : 126);
    if (size >= 126) {
        frame[at++] = size >> 8;
        frame[at++] = size;
    }
    memcpy(frame + at, mask, 4);
    at += 4;
    for (int i = 0; i < size; i++)
        frame[at + i] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
    transmit(client, frame, at + size);
}

void sendText(Client *client, const char *payload, int size) {
    sendFrame(client, TEXT, payload, size);
}

/* The others come last, and are where nothing is said. */
static bool isOther(const Client *client) {
    return options->others && client->number >= options->clients + options->stalled;
}

static void ask(Client *client) {
    char request[512];
    const char *deflate =
        options->deflate ? "Sec-WebSocket-Extensions: permessage-deflate; "
                           "client_max_window_bits\r\n"
                         : "";
    int size = snprintf(request, sizeof request,
                        "GET /?specialKey=k%d%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\n%s\r\n",
                        client->number, isOther(client) ? "" : options->query,
                        options->port, deflate);
    client->state = OPENING;
    client->head = calloc(1, HEAD_SIZE);
    transmit(client, (uint8_t *)request, size);
}

static void secure(Client *client) {
    int result = SSL_connect(client->tls);
    if (result == 1)
        ask(client);
    else if (SSL_get_error(client->tls, result) != SSL_ERROR_WANT_READ)
        fail("TLS: %s", ERR_error_string(ERR_get_error(), NULL));
}

static void beginOpening(Client *client) {
    int on = 1, source = client->number / PER_ADDRESS;
    struct linger cut = {.l_onoff = 1}; /* leave no port in TIME_WAIT behind */
    struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + source);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(options->port);

    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &cut, sizeof cut);
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (client->fd < 0 || bind(client->fd, (void *)&from, sizeof from) ||
        connect(client->fd, (void *)&to, sizeof to))
        fail("connection %d: %s", client->number, strerror(errno));
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
    heedClient(client);
    if (context) {
        client->tls = SSL_new(context);
        SSL_set_fd(client->tls, client->fd);
        client->state = SECURING;
        secure(client);
    } else
        ask(client);
}

/* Open as many of these clients as are not open yet, some at a time. */
void openClients(Client *clients, int upTo) {
    int64_t deadline = nowNs() + (int64_t)(options->limit * 1e9);
    for (int begun = opened; opened < upTo;) {
        while (begun < upTo && begun - opened < OPENINGS_AT_ONCE) {
            clients[begun].number = begun;
            beginOpening(&clients[begun++]);
        }
        turn(deadline);
        if (nowNs() > deadline)
            fail("only %d of %d connections opened", opened, upTo);
    }
}

static void takeControl(Client *client, int opcode, const uint8_t *payload, int size) {
    if (opcode == PING)
        sendFrame(client, PONG, payload, size);
    if (opcode == CLOSE) {
        client->closeCode = size >= 2 ? payload[0] << 8 | payload[1] : 1005;
        client->ending = true;
    }
}

static void messageEnds(Client *client, int64_t now) {
    client->received++;
    onMessage(client, now);
}

/* Read one frame's header and what is needed behind it; answer the bytes taken,
   0 when there are too few. */
static int takeHeader(Client *client, const uint8_t *at, int left, int64_t now) {
    if (left < 2)
        return 0;
    int opcode = at[0] & 15, head = 2, wanted;
    uint64_t size = at[1];
    if (size > 127)
        fail("a masked frame");
    if (size > 125) {
        int bytes = size == 126 ? 2 : 8;
        if (left < 2 + bytes)
            return 0;
        for (size = 0; head < 2 + bytes; head++)
            size = size << 8 | at[head];
    }
    if (opcode >= CLOSE) {
        wanted = opcode == CLOSE && size > 2 ? 2 : (int)size;
        if (wanted > STASH_SIZE - 4)
            fail("a control frame of %d bytes", wanted);
    } else
        wanted = size < SEQUENCE_DIGITS ? (int)size : SEQUENCE_DIGITS;
    if (left < head + wanted)
        return 0;
    const uint8_t *payload = at + head;
    client->skip = size - wanted;
    client->whole = false;
    if (opcode >= CLOSE) {
        takeControl(client, opcode, payload, wanted);
        return head + wanted;
    }
    client->whole = at[0] & 0x80;
    if (opcode) {
        client->sequence = 0;
        for (int i = 0; i < wanted; i++)
            client->sequence = client->sequence * 10 + (payload[i] - '0');
    }
    if (!client->skip && client->whole)
        messageEnds(client, now);
    return head + wanted;
}

static void takeFrames(Client *client, const uint8_t *at, int left, int64_t now) {
    while (left > 0) {
        if (client->skip) {
            int taken = client->skip < (uint64_t)left ? (int)client->skip : left;
            client->skip -= taken;
            at += taken;
            left -= taken;
            if (!client->skip && client->whole)
                messageEnds(client, now);
            continue;
        }
        int taken = takeHeader(client, at, left, now);
        if (!taken)
            break;
        at += taken;
        left -= taken;
    }
    memcpy(client->stash, at, left);
    client->stashed = left;
}

static void takeAnswer(Client *client) {
    int have = strlen(client->head);
    int got = receive(client, client->head + have, HEAD_SIZE - 1 - have);
    if (got == 0)
        return;
    char *behind = strstr(client->head, "\r\n\r\n");
    if (!behind && got > 0)
        return;
    if (!behind || strncmp(client->head, "HTTP/1.1 101", 12))
        fail("opening %d was refused: %.60s", client->number, client->head);
    if (options->deflate && !strstr(client->head, "permessage-deflate"))
        fail("permessage-deflate was not accepted");
    behind += 4;
    client->state = OPEN;
    opened++;
    takeFrames(client, (uint8_t *)behind, client->head + have + got - behind, nowNs());
    free(client->head);
    client->head = NULL;
}

static void takeBytes(Client *client) {
    for (;;) {
        uint8_t *begin = buffer + STASH_SIZE - client->stashed;
        memcpy(begin, client->stash, client->stashed);
        int got = receive(client, buffer + STASH_SIZE, BUFFER_SIZE);
        if (got > 0)
            takeFrames(client, begin, client->stashed + got, nowNs());
        if (got < 0 || client->ending)
            end(client);
        if (got <= 0 || !client->tls || client->state == ENDED)
            return;
    }
}

/* Wait until something comes or the time is there; take all that has come. */
void turn(int64_t untilNs) {
    struct epoll_event events[512];
    int64_t left = untilNs - nowNs();
    struct timespec timeout = {0};
    if (left > 0) {
        timeout.tv_sec = left / 1000000000;
        timeout.tv_nsec = left % 1000000000;
    }
    int count = epoll_pwait2(epoll, events, 512, &timeout, NULL);
    for (int i = 0; i < count; i++) {
        Client *client = events[i].data.ptr;
        if (client->unsent && events[i].events & EPOLLOUT)
            sendKept(client);
        if (client->state == SECURING)
            secure(client);
        else if (client->state == OPENING)
            takeAnswer(client);
        else if (client->state == OPEN)
            takeBytes(client);
        if (onTurn)
            onTurn(nowNs());
    }
    if (onTurn && count <= 0)
        onTurn(nowNs());
}
