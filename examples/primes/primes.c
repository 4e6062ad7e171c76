/* Counts the primes below LIMIT in one task's share: the TASK-th of TASKS equal parts.   usage: primes TASK TASKS
 * Threads: OMP_NUM_THREADS, when built with -fopenmp. */
#include <stdio.h>
#include <stdlib.h>

#ifndef LIMIT
#define LIMIT 3000000L
#endif

static int is_prime(long n)
{
    if (n < 4)
        return n > 1;
    if (n % 2 == 0)
        return 0;
    for (long d = 3; d * d <= n; d += 2)
        if (n % d == 0)
            return 0;
    return 1;
}

int main(int argc, char **argv)
{
    long task = argc > 1 ? atol(argv[1]) : 1, tasks = argc > 2 ? atol(argv[2]) : 1, count = 0;
    if (task < 1 || tasks < 1 || task > tasks) {
        fprintf(stderr, "usage: primes TASK TASKS\n");
        return 2;
    }
    long first = LIMIT / tasks * (task - 1), next = task == tasks ? LIMIT : LIMIT / tasks * task;
#pragma omp parallel for reduction(+ : count) schedule(dynamic, 4096)
    for (long n = first; n < next; n++)
        count += is_prime(n);
    printf("%ld %ld\n", task, count);
    return 0;
}
