/* launch COUNT PROGRAM [ARG ...]: runs a program that often, one after the other, and prints the median of the
   times until it has ended, in nanoseconds. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[1]) : 0;
    long long *times = malloc((count + 1) * sizeof *times);
    for (int i = 0; i < count; i++) {
        int status = 1;
        long long began = now();
        pid_t child = vfork();
        if (child == 0) {
            execv(argv[2], argv + 2);
            _exit(127);
        }
        if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
            fprintf(stderr, "launch: %s: status %d\n", argv[2], status);
            return 1;
        }
        times[i] = now() - began;
    }
    qsort(times, count, sizeof *times, compare);
    printf("%lld\n", times[count / 2]);
    return count == 0;
}
