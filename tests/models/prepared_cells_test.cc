// SPDX-License-Identifier: Apache-2.0
#include "models/prepared_cells.h"

#include <doctest/doctest.h>

using namespace genexx;

TEST_CASE("prepared_cells: classes weigh n / (k n_c), as scikit-learn's balanced weights; absent ones nothing") {
  TrainingSet set;
  set.classes = 4;
  set.labels = {0, 0, 0, 1, 2, 2, 3, -1};
  std::vector<ReplicaTask> tasks(2);
  tasks[0].train = {0, 1, 2, 3, 4, 5, 7};
  tasks[1].train = {3, 6};

  weigh_classes(set, tasks);

  CHECK(tasks[0].class_weights == std::vector<float>{0.5f, 1.5f, 0.75f, 0.0f});
  CHECK(tasks[1].class_weights == std::vector<float>{0.0f, 0.5f, 0.0f, 0.5f});
}
