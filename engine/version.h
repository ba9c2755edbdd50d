// SPDX-License-Identifier: Apache-2.0
// The version of the library, written into every model file, report and log.
#pragma once

namespace genexx {

// "MAJOR.MINOR.PATCH" of the build, from the project's CMake version.
const char* version();

}  // namespace genexx
