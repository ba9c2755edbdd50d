/* SPDX-License-Identifier: Apache-2.0
 * What the program asks of MPI, as a table of C functions: the one thing that libgenexx_mpi.so has. The program never
 * sees mpi.h, starts where no MPI is installed, and another MPI needs that small library alone to be compiled anew.
 *
 * One operation is under way at a time: a function starts it, `test` says whether it is done. Every function returns 0,
 * or a code that `describe` puts in words. Counts and offsets are bytes.
 */
#ifndef GENEXX_ENGINE_COMM_MPI_TABLE_H
#define GENEXX_ENGINE_COMM_MPI_TABLE_H

#define GENEXX_MPI_TABLE_VERSION 1

#ifdef __cplusplus
extern "C" {
#endif

struct genexx_mpi_table {
  int version; /* GENEXX_MPI_TABLE_VERSION of the library */
  int rank, size, local_rank, local_size;
  char library[128]; /* what MPI calls itself */

  int (*barrier)(void);
  int (*broadcast)(void* data, int bytes, int root);
  int (*all_gather)(const void* mine, const int* bytes, const int* offsets, void* all);
  int (*all_to_all)(const void* out, const int* out_bytes, const int* out_offsets, void* in, const int* in_bytes,
                    const int* in_offsets);
  int (*send)(int to, const void* data, int bytes);
  int (*receive)(int from, void* data, int bytes);
  int (*test)(int* done);
  void (*describe)(int code, char* text, int capacity);
  /* Ends MPI, where the library began it. Nothing is under way, on any rank. */
  int (*finish)(void);
};

/* Begins MPI where the host program has not, and fills the table. */
int genexx_mpi_open(struct genexx_mpi_table* table);

#ifdef __cplusplus
}
#endif

#endif
