// SPDX-License-Identifier: Apache-2.0
#include "engine/version.h"

namespace genexx {

const char* version() { return GENEXX_VERSION; }

}  // namespace genexx
