/* The load generator: opens WebSockets to a server on the loopback interface, lets
   them speak and listen, and says what that cost the server and itself.

       load SCENARIO --port P --pid PID [--clients N] [--messages M] ...

   fanout   one of N clients speaks; its next message goes when all have the last
   rate     some of N clients speak so many messages a second, answered or not
   echo     each of N clients speaks, and speaks again when it hears itself
   opening  N connections are opened
   memory   N connections are opened and stay idle

   Results are lines of key=value on standard output. CPU is that of the process PID
   and of its children, user and system, between the first byte sent and the last
   message delivered. It ends by itself after --limit seconds, and a few more at most. */
#include "load.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WARM_OPENINGS = 100, MOST_LATENCIES = 40000000 };
enum { ENTER_MS = 200, SETTLE_MS = 1500, GRACE_SECONDS = 10 };

static Options options = {
    .query = "", .clients = 500, .senders = 1, .messages = 200, .rate = 200,
    .size = 128, .warmup = 10, .seconds = 2, .limit = 60,
};
static Client *clients;
static int64_t deadline, beganAt, endedAt, cpuBefore, cpuAfter, ownBefore, ownAfter;
static int64_t *sentAt; /* by sequence */
static uint32_t *latencies; /* in us */
static long latencyCount, delivered, expected, sent;
static int64_t latest;

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(1);
}

static void outOfTime(int signal) {
    static const char text[] = "load: out of time\n";
    (void)signal;
    _exit(write(STDERR_FILENO, text, sizeof text - 1) < 0 ? 2 : 1);
}

/* A server may answer an opening first, and let the client in a moment later. */
static void pass(int ms) {
    for (int64_t until = nowNs() + ms * INT64_C(1000000); nowNs() < until;)
        turn(until);
}

static void costBegins(void) {
    costOf(options.pid);
    ownBefore = ownCpuNs();
    cpuBefore = treeCpuNs();
    beganAt = nowNs();
}

static void costEnds(void) {
    endedAt = nowNs();
    cpuAfter = treeCpuNs();
    ownAfter = ownCpuNs();
}

static void sayCost(const char *each, long count) {
    double seconds = (endedAt - beganAt) / 1e9;
    printf("count=%ld\n", count);
    printf("seconds=%.3f\n", seconds);
    printf("%s_us=%.3f\n", each, (cpuAfter - cpuBefore) / 1e3 / count);
    printf("own_us=%.3f\n", (ownAfter - ownBefore) / 1e3 / count);
    printf("busy=%.3f\n", (cpuAfter - cpuBefore) / 1e9 / seconds);
}

static void say(Client *client) {
    static char *text;
    if (!text) {
        text = malloc(options.size + 1);
        memset(text, 'x', options.size);
    }
    char head[SEQUENCE_DIGITS + 22];
    int64_t now = nowNs();
    int size = snprintf(head, sizeof head, "%010ld %019lld ", sent, (long long)now);
    memcpy(text, head, size < options.size ? size : options.size);
    if (sentAt && !sentAt[sent])
        sentAt[sent] = now;
    sent++;
    sendText(client, text, options.size);
}

/* A message has come: its latency is from when it was due. */
static void noteDelivery(Client *client, int64_t now) {
    delivered++;
    if (options.deflate || strstr(options.query, "gzip"))
        return; /* its sequence is compressed */
    if (client->sequence < 0 || client->sequence >= sent)
        fail("message %ld was never sent", client->sequence);
    if (latencyCount < MOST_LATENCIES)
        latencies[latencyCount++] = (now - sentAt[client->sequence]) / 1000;
}

static int compare(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static void sayLatencies(void) {
    if (!latencyCount)
        return;
    qsort(latencies, latencyCount, sizeof *latencies, compare);
    printf("p50_ms=%.3f\n", latencies[latencyCount / 2] / 1e3);
    printf("p99_ms=%.3f\n", latencies[latencyCount * 99 / 100] / 1e3);
    printf("max_ms=%.3f\n", latencies[latencyCount - 1] / 1e3);
}

static void prepareMessages(long messages, long deliveries) {
    if (deliveries > MOST_LATENCIES)
        deliveries = MOST_LATENCIES;
    sentAt = calloc(messages, sizeof *sentAt);
    latencies = malloc(deliveries * sizeof *latencies);
}

/* Let one client speak until each message has reached everyone. */
static void sayInTurn(int messages) {
    for (int i = 0; i < messages; i++) {
        expected += options.clients;
        say(&clients[0]);
        while (delivered < expected) {
            turn(deadline);
            if (nowNs() > deadline)
                fail("%ld of %ld deliveries in time", delivered, expected);
        }
    }
}

static void fanout(void) {
    long messages = options.warmup + options.messages;
    prepareMessages(messages, messages * options.clients);
    onMessage = noteDelivery;
    openClients(clients, options.clients + options.others);
    pass(ENTER_MS);
    sayInTurn(options.warmup);
    latencyCount = 0;
    costBegins();
    sayInTurn(options.messages);
    costEnds();
    sayCost("delivery", (long)options.messages * options.clients);
    sayLatencies();
}

static void noteAndSayAgain(Client *client, int64_t now) {
    delivered++;
    latest = now;
    if (now < beganAt + options.seconds * 1e9)
        say(client);
}

static void echo(void) {
    onMessage = noteAndSayAgain;
    openClients(clients, options.clients);
    costBegins();
    for (int i = 0; i < options.clients; i++)
        say(&clients[i]);
    while (delivered < sent && nowNs() < deadline)
        turn(deadline);
    costEnds();
    if (delivered < sent)
        fail("%ld of %ld echoes in time", delivered, sent);
    sayCost("message", delivered);
}

static int64_t dueAt(long message) {
    return beganAt + message * INT64_C(1000000000) / options.rate;
}

/* Send what is due: the senders take turns, and are spread over the clients. */
static void sayWhatIsDue(int64_t now) {
    while (sent < options.messages && dueAt(sent) <= now) {
        int sender = sent % options.senders * (options.clients / options.senders);
        if (now - dueAt(sent) > latest)
            latest = now - dueAt(sent);
        sentAt[sent] = dueAt(sent);
        say(&clients[sender]);
    }
}

static long lostFor(long messages) {
    long lost = 0;
    for (int i = 0; i < options.clients; i++)
        if (clients[i].state == ENDED)
            lost += messages - clients[i].received;
    return lost;
}

/* Read what the stalled ones never read, for so long, and tell how they ended. */
static void sayStalled(double seconds) {
    int slow = 0, cut = 0, open = 0;
    int64_t until = nowNs() + (int64_t)(seconds * 1e9);
    for (int i = options.clients; i < options.clients + options.stalled; i++)
        heedClient(&clients[i]);
    do {
        turn(until);
        open = 0;
        for (int i = options.clients; i < options.clients + options.stalled; i++)
            open += clients[i].state != ENDED;
    } while (open && nowNs() < until);
    for (int i = options.clients; i < options.clients + options.stalled; i++) {
        slow += clients[i].closeCode == 4002;
        cut += clients[i].state == ENDED && !clients[i].closeCode;
    }
    printf("stalled_4002=%d\nstalled_cut=%d\nstalled_open=%d\n", slow, cut, open);
}

static void noteStalled(Client *client, int64_t now) { (void)client, (void)now; }

static void rate(void) {
    long messages = options.messages;
    prepareMessages(messages, messages * options.clients);
    onMessage = noteDelivery;
    openClients(clients, options.clients + options.stalled);
    for (int i = 0; i < options.stalled; i++)
        ignoreClient(&clients[options.clients + i]);
    pass(ENTER_MS);
    costBegins();
    int64_t patience = dueAt(messages) + (int64_t)(options.seconds * 1e9);
    if (patience > deadline)
        patience = deadline;
    onTurn = sayWhatIsDue;
    expected = messages * options.clients;
    while (nowNs() < patience && delivered + lostFor(messages) < expected)
        turn(sent < messages && dueAt(sent) < patience ? dueAt(sent) : patience);
    costEnds();
    onTurn = NULL;
    sayCost("delivery", delivered ? delivered : 1);
    sayLatencies();
    printf("lost=%ld\nlate_ms=%.3f\n", expected - delivered, latest / 1e6);
    printf("peak_kb=%lld\n", (long long)treePeak() / 1024);
    onMessage = noteStalled;
    if (options.stalled)
        sayStalled(options.seconds);
}

static void opening(void) {
    openClients(clients, WARM_OPENINGS);
    costBegins();
    openClients(clients, WARM_OPENINGS + options.clients);
    costEnds();
    sayCost("opening", options.clients);
}

static int64_t settledPss(void) {
    pass(SETTLE_MS);
    costOf(options.pid);
    return treePss();
}

static void memory(void) {
    openClients(clients, WARM_OPENINGS);
    int64_t before = settledPss();
    openClients(clients, WARM_OPENINGS + options.clients);
    int64_t after = settledPss();
    printf("count=%d\n", options.clients);
    printf("idle_kb=%.3f\n", (after - before) / 1024.0 / options.clients);
}

static void readOptions(int count, char **arguments) {
    struct { const char *name; int *number; } numbers[] = {
        {"--port", &options.port}, {"--pid", &options.pid},
        {"--clients", &options.clients}, {"--stalled", &options.stalled},
        {"--senders", &options.senders}, {"--messages", &options.messages},
        {"--rate", &options.rate}, {"--size", &options.size},
        {"--warmup", &options.warmup}, {"--tls", &options.tls},
        {"--deflate", &options.deflate}, {"--others", &options.others},
    };
    if (count < 2 || count % 2)
        fail("usage: load SCENARIO --port P --pid PID [--OPTION VALUE]...");
    options.scenario = arguments[1];
    for (int i = 2; i < count; i += 2) {
        bool found = true;
        if (!strcmp(arguments[i], "--query"))
            options.query = arguments[i + 1];
        else if (!strcmp(arguments[i], "--seconds"))
            options.seconds = atof(arguments[i + 1]);
        else if (!strcmp(arguments[i], "--limit"))
            options.limit = atof(arguments[i + 1]);
        else
            found = false;
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            if (!strcmp(arguments[i], numbers[k].name)) {
                *numbers[k].number = atoi(arguments[i + 1]);
                found = true;
            }
        if (!found)
            fail("no such option: %s", arguments[i]);
    }
    if (options.size < SEQUENCE_DIGITS || options.size > LARGEST_MESSAGE)
        fail("--size is from %d to %d", SEQUENCE_DIGITS, LARGEST_MESSAGE);
    if (options.clients < 1 || options.messages < 1 || options.rate < 1)
        fail("--clients, --messages and --rate are at least 1");
    if (options.senders < 1 || options.senders > options.clients)
        fail("--senders is from 1 to the number of clients");
}

int main(int count, char **arguments) {
    struct { const char *name; void (*run)(void); } scenarios[] = {
        {"fanout", fanout}, {"rate", rate}, {"echo", echo},
        {"opening", opening}, {"memory", memory},
    };
    readOptions(count, arguments);
    deadline = nowNs() + (int64_t)(options.limit * 1e9);
    signal(SIGALRM, outOfTime);
    alarm((unsigned)(options.limit + options.seconds) + GRACE_SECONDS);
    clients = calloc(options.clients + options.stalled + options.others + WARM_OPENINGS,
                     sizeof *clients);
    clientsBegin(&options);
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (!strcmp(options.scenario, scenarios[i].name)) {
            scenarios[i].run();
            return 0;
        }
    fail("no such scenario: %s", options.scenario);
}
