// SPDX-License-Identifier: Apache-2.0
// Golden values of any layout; the layout is said in the script that makes the file.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace genexx::test {

// The content of tests/golden/NAME.json. Fails the test where there is no such file.
nlohmann::json golden_json(const std::string& name);

}  // namespace genexx::test
