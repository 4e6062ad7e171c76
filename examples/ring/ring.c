/* Sends a number round a ring of MPI processes: each adds its rank. Rank 0 prints where the number has been and its sum.
 *
 *   mpicc -O2 -o ring ring.c && srun -n 4 ./ring
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    int rank, size, length;
    long sum = 0;
    char host[MPI_MAX_PROCESSOR_NAME] = "", *hosts = NULL;

    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Get_processor_name(host, &length);

    if (rank > 0) MPI_Recv(&sum, 1, MPI_LONG, rank - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    sum += rank;
    if (size > 1) MPI_Send(&sum, 1, MPI_LONG, (rank + 1) % size, 0, MPI_COMM_WORLD);
    if (rank == 0 && size > 1) MPI_Recv(&sum, 1, MPI_LONG, size - 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);

    if (rank == 0) hosts = calloc(size, sizeof host);
    MPI_Gather(host, sizeof host, MPI_CHAR, hosts, sizeof host, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        for (int i = 0; i < size; i++) printf("rank %d on %s\n", i, hosts + i * sizeof host);
        printf("sum %ld\n", sum);
        free(hosts);
    }
    MPI_Finalize();
    return 0;
}
