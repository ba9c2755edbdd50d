// SPDX-License-Identifier: Apache-2.0
// Tables stored as one dataset of compound elements, the form AnnData used up to 0.6.
#pragma once

#include <string>
#include <vector>

#include "io/hdf5.h"
#include "io/hdf5_elements.h"

namespace genexx::hdf5 {

struct CompoundField {
  std::string name;
  ElementType type;
};

// The fields in order. Throws InputError when the dataset is not a readable vector of compound elements.
std::vector<CompoundField> compound_fields(const Node& dataset);

// One field of all elements. read_field_numbers takes integers, reals and booleans, read_field_strings strings.
std::vector<double> read_field_numbers(const Node& dataset, const CompoundField& field);
std::vector<std::string> read_field_strings(const Node& dataset, const CompoundField& field);

}  // namespace genexx::hdf5
