// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "engine/version.h"

int main() {
  std::printf("genexx %s\n", genexx::version());
  return 0;
}
