/* The load generator's parts; see main.c for what it does as a whole. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SEQUENCE_DIGITS = 10, LARGEST_MESSAGE = 65535, HEAD_SIZE = 2048, STASH_SIZE = 32 };

typedef enum { SECURING, OPENING, OPEN, ENDED } State;

/* One WebSocket. `skip` is what is still to come of the frame that was looked at
   last, `whole` says whether a message ends with it, `sequence` is the message's.
   `unsent` is what the server has not made room for yet. */
typedef struct {
    int fd, number, stashed;
    State state;
    void *tls;
    char *head;
    uint8_t *unsent;
    size_t unsentFrom, unsentTo;
    uint64_t skip;
    long sequence, received;
    bool whole, ending;
    int closeCode;
    uint8_t stash[STASH_SIZE];
} Client;

/* What the command line says. */
typedef struct {
    const char *scenario, *query;
    int port, pid, clients, stalled, others, senders, messages, rate, size, warmup, tls, deflate;
    double seconds, limit;
} Options;

/* clients.c: open sockets, frames. */
extern void (*onMessage)(Client *client, int64_t now);
extern void (*onTurn)(int64_t now);
void clientsBegin(const Options *options);
void openClients(Client *clients, int upTo);
void ignoreClient(Client *client);
void heedClient(Client *client);
void turn(int64_t untilNs);
void sendText(Client *client, const char *payload, int size);

/* cost.c: what processes use; times in ns, memory in bytes. */
int64_t nowNs(void);
void costOf(pid_t root);
int64_t treeCpuNs(void);
int64_t ownCpuNs(void);
int64_t treePss(void);
int64_t treePeak(void);

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
