// SPDX-License-Identifier: Apache-2.0
#include "engine/comm/launcher.h"

#include <map>

#include "engine/error.h"
#include "tests/support/op_test.h"

using namespace genexx;

namespace {

Launch launch_of(const std::map<std::string, std::string>& variables) {
  return read_launch([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  });
}

void expect_launch(const Launch& got, const char* by, int rank, int size, int local_rank) {
  CHECK(got.by == by);
  CHECK(got.rank == rank);
  CHECK(got.size == size);
  CHECK(got.local_rank == local_rank);
}

}  // namespace

TEST_CASE("launcher: every launcher's words are understood") {
  expect_launch(
      launch_of({{"OMPI_COMM_WORLD_RANK", "5"}, {"OMPI_COMM_WORLD_SIZE", "8"}, {"OMPI_COMM_WORLD_LOCAL_RANK", "1"}}),
      "Open MPI", 5, 8, 1);
  expect_launch(
      launch_of({{"MV2_COMM_WORLD_RANK", "2"}, {"MV2_COMM_WORLD_SIZE", "4"}, {"MV2_COMM_WORLD_LOCAL_RANK", "0"}}),
      "MVAPICH", 2, 4, 0);
  expect_launch(launch_of({{"SLURM_PROCID", "7"}, {"SLURM_STEP_NUM_TASKS", "16"}, {"SLURM_LOCALID", "3"}}), "Slurm", 7,
                16, 3);
  expect_launch(launch_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}}), "PMI", 1, 2, 1);
}

TEST_CASE("launcher: mpirun inside a Slurm step is mpirun's word") {
  expect_launch(launch_of({{"OMPI_COMM_WORLD_RANK", "1"},
                           {"OMPI_COMM_WORLD_SIZE", "2"},
                           {"SLURM_PROCID", "0"},
                           {"SLURM_STEP_NUM_TASKS", "1"}}),
                "Open MPI", 1, 2, -1);
}

TEST_CASE("launcher: a process of its own and a Slurm batch script are one process") {
  expect_launch(launch_of({}), "", 0, 1, -1);
  expect_launch(launch_of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "64"}, {"SLURM_LOCALID", "0"}}), "", 0, 1, -1);
}

TEST_CASE("launcher: a variable that is no number is named") {
  CHECK_THROWS_WITH_AS(launch_of({{"PMI_RANK", "first"}, {"PMI_SIZE", "2"}}),
                       doctest::Contains("PMI_RANK is 'first', expected a number"), UsageError);
}
