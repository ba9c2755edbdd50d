// SPDX-License-Identifier: Apache-2.0
// Whole vectors out of datasets, whatever their element type, and a forward reader for vectors too long to hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/hdf5_chunks.h"

namespace genexx::hdf5 {

// A long vector of numbers, read forward in pieces; a piece behind the last one is read again from the file. Keeps a
// few decompressed chunks, about 4 MB or one chunk. Not thread-safe.
class VectorReader {
 public:
  // Throws InputError when the dataset is not a readable vector of numbers.
  VectorReader(const Node& dataset, int threads);

  std::int64_t size() const { return grid_.rows(); }
  const Node& dataset() const { return grid_.dataset(); }
  const ElementType& type() const { return grid_.info().type; }

  // Elements [begin, begin + n) as T: float, double, or std::int64_t where the elements are integers or booleans.
  template <class T>
  void read(std::int64_t begin, std::int64_t n, T* out);

 private:
  void load_window(std::int64_t chunk);

  ChunkGrid grid_;
  int threads_;
  std::int64_t window_chunk_ = 0;  // first chunk of the window
  std::vector<LoadedChunk> window_;
};

extern template void VectorReader::read(std::int64_t, std::int64_t, float*);
extern template void VectorReader::read(std::int64_t, std::int64_t, double*);
extern template void VectorReader::read(std::int64_t, std::int64_t, std::int64_t*);

// All elements of a vector, of a matrix with one column, or of a scalar. Throw InputError when the elements are not
// numbers, or not integers.
std::vector<double> read_doubles(const Node& dataset);
std::vector<std::int64_t> read_integers(const Node& dataset);

// The same for strings of fixed or variable length; trailing null bytes and the padding of fixed ones are removed.
std::vector<std::string> read_strings(const Node& dataset);

// Strings as they are, numbers as text: whole numbers without a fraction. For names and categories.
std::vector<std::string> read_as_text(const Node& dataset);

}  // namespace genexx::hdf5
