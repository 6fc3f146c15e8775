/* What a server and its children use, and what this process uses itself. */
#include "load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PIDS = 256 };
static pid_t tree[MOST_PIDS];
static int treeSize;

int64_t nowNs(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static pid_t parentOf(pid_t pid) {
    char name[64], line[512];
    snprintf(name, sizeof name, "/proc/%d/stat", pid);
    FILE *file = fopen(name, "r");
    if (!file)
        return -1;
    size_t length = fread(line, 1, sizeof line - 1, file);
    fclose(file);
    line[length] = 0;
    char *end = strrchr(line, ')'); /* the command's name may hold anything */
    int parent = -1;
    if (end)
        sscanf(end + 1, " %*c %d", &parent);
    return parent;
}

/* Take note of a server and of its children as they are now. */
void costOf(pid_t root) {
    tree[0] = root;
    treeSize = 1;
    for (int i = 0; i < treeSize; i++) {
        DIR *folder = opendir("/proc");
        if (!folder)
            fail("no /proc");
        for (struct dirent *entry; (entry = readdir(folder));) {
            pid_t pid = atoi(entry->d_name);
            if (pid > 0 && parentOf(pid) == tree[i] && treeSize < MOST_PIDS)
                tree[treeSize++] = pid;
        }
        closedir(folder);
    }
}

/* User and system time of all threads, ended ones included, in ns. */
int64_t treeCpuNs(void) {
    int64_t sum = 0;
    for (int i = 0; i < treeSize; i++) {
        clockid_t clock;
        struct timespec time;
        if (clock_getcpuclockid(tree[i], &clock) || clock_gettime(clock, &time))
            fail("the server has ended");
        sum += time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
    }
    return sum;
}

int64_t ownCpuNs(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static int64_t treeSum(const char *fileName, const char *format) {
    int64_t sum = 0;
    for (int i = 0; i < treeSize; i++) {
        char name[64], line[256];
        snprintf(name, sizeof name, "/proc/%d/%s", tree[i], fileName);
        FILE *file = fopen(name, "r");
        long found = -1;
        while (file && found < 0 && fgets(line, sizeof line, file))
            sscanf(line, format, &found);
        if (file)
            fclose(file);
        if (found < 0)
            fail("cannot read %s", name);
        sum += found * INT64_C(1024);
    }
    return sum;
}

int64_t treePss(void) { return treeSum("smaps_rollup", "Pss: %ld"); }

int64_t treePeak(void) { return treeSum("status", "VmHWM: %ld"); }
