// hugepages N: maps N huge pages of 2 MiB, one by one, and touches each; prints how many it got.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int main(int argc, char** argv) {
    const size_t size = 2U << 20U;
    const int wanted = argc > 1 ? atoi(argv[1]) : 0;
    int got = 0;
    while (got < wanted) {
        char* page = mmap(NULL,
                          size,
                          PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (21 << MAP_HUGE_SHIFT),
                          -1,
                          0);
        if (page == MAP_FAILED) {
            break;
        }
        page[0] = 1;
        ++got;
    }
    printf("%d\n", got);
    return 0;
}
