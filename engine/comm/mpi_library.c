/* SPDX-License-Identifier: Apache-2.0
 * libgenexx_mpi.so: engine/comm/mpi_table.h over MPI 3. The communicator is a copy of MPI_COMM_WORLD, so that messages
 * of a host program never meet ours.
 */
#include "engine/comm/mpi_table.h"

#include <mpi.h>
#include <stdio.h>
#include <string.h>

#define GENEXX_MPI_TAG 1

/* Of the process: MPI itself is one a process, too. */
static MPI_Comm world = MPI_COMM_NULL;
static MPI_Request under_way = MPI_REQUEST_NULL;
static int begun_here = 0;

static int start_barrier(void) { return MPI_Ibarrier(world, &under_way); }

static int start_broadcast(void* data, int bytes, int root) {
  return MPI_Ibcast(data, bytes, MPI_BYTE, root, world, &under_way);
}

static int start_all_gather(const void* mine, const int* bytes, const int* offsets, void* all) {
  int rank = 0;
  MPI_Comm_rank(world, &rank);
  return MPI_Iallgatherv(mine, bytes[rank], MPI_BYTE, all, bytes, offsets, MPI_BYTE, world, &under_way);
}

static int start_all_to_all(const void* out, const int* out_bytes, const int* out_offsets, void* in,
                            const int* in_bytes, const int* in_offsets) {
  return MPI_Ialltoallv(out, out_bytes, out_offsets, MPI_BYTE, in, in_bytes, in_offsets, MPI_BYTE, world, &under_way);
}

static int start_send(int to, const void* data, int bytes) {
  return MPI_Isend(data, bytes, MPI_BYTE, to, GENEXX_MPI_TAG, world, &under_way);
}

static int start_receive(int from, void* data, int bytes) {
  return MPI_Irecv(data, bytes, MPI_BYTE, from, GENEXX_MPI_TAG, world, &under_way);
}

static int test(int* done) { return MPI_Test(&under_way, done, MPI_STATUS_IGNORE); }

static void describe(int code, char* text, int capacity) {
  char whole[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  if (MPI_Error_string(code, whole, &length) != MPI_SUCCESS) snprintf(whole, sizeof whole, "MPI error %d", code);
  snprintf(text, (size_t)capacity, "%s", whole);
}

static int finish(void) {
  const int code = MPI_Comm_free(&world);
  if (code != MPI_SUCCESS || !begun_here) return code;
  return MPI_Finalize();
}

static void name_library(char* text, size_t capacity) {
  char whole[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  MPI_Get_library_version(whole, &length);
  whole[strcspn(whole, ",\n")] = '\0'; /* "Open MPI v4.1.4": what follows are build details */
  snprintf(text, capacity, "%s", whole);
}

int genexx_mpi_open(struct genexx_mpi_table* table) {
  int begun = 0, code = MPI_Initialized(&begun), provided = 0;
  MPI_Comm local = MPI_COMM_NULL;
  if (code != MPI_SUCCESS) return code;
  if (!begun) {
    code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    if (code != MPI_SUCCESS) return code;
    begun_here = 1;
  }
  code = MPI_Comm_dup(MPI_COMM_WORLD, &world);
  if (code == MPI_SUCCESS) code = MPI_Comm_set_errhandler(world, MPI_ERRORS_RETURN);
  if (code == MPI_SUCCESS) code = MPI_Comm_rank(world, &table->rank);
  if (code == MPI_SUCCESS) code = MPI_Comm_size(world, &table->size);
  if (code == MPI_SUCCESS) code = MPI_Comm_split_type(world, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
  if (code == MPI_SUCCESS) code = MPI_Comm_rank(local, &table->local_rank);
  if (code == MPI_SUCCESS) code = MPI_Comm_size(local, &table->local_size);
  if (code == MPI_SUCCESS) code = MPI_Comm_free(&local);
  if (code != MPI_SUCCESS) return code;
  table->version = GENEXX_MPI_TABLE_VERSION;
  name_library(table->library, sizeof table->library);
  table->barrier = start_barrier;
  table->broadcast = start_broadcast;
  table->all_gather = start_all_gather;
  table->all_to_all = start_all_to_all;
  table->send = start_send;
  table->receive = start_receive;
  table->test = test;
  table->describe = describe;
  table->finish = finish;
  return MPI_SUCCESS;
}
