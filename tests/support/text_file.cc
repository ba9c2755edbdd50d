// SPDX-License-Identifier: Apache-2.0
#include "tests/support/text_file.h"

#include <zlib.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace genexx::test {

void write_text(const std::string& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string gzip(const std::string& text) {
  z_stream stream = {};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("zlib");
  return out;
}

CsrMatrix read_all(BatchSource& source, std::int64_t block_rows) {
  CsrMatrix all;
  all.cols = source.cols();
  for (CsrMatrix block; source.next(block, block_rows);) {
    for (std::int64_t row = 0; row < block.rows; ++row) {
      all.row_begin.push_back(all.nnz() + block.row_begin[row + 1] - block.row_begin[row]);
    }
    all.rows += block.rows;
    all.column.insert(all.column.end(), block.column.begin(), block.column.end());
    all.value.insert(all.value.end(), block.value.begin(), block.value.end());
  }
  return all;
}

std::vector<float> dense(const CsrMatrix& matrix) {
  std::vector<float> out(matrix.rows * matrix.cols);
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    for (std::int64_t at = matrix.row_begin[row]; at < matrix.row_begin[row + 1]; ++at) {
      out[row * matrix.cols + matrix.column[at]] = matrix.value[at];
    }
  }
  return out;
}

}  // namespace genexx::test
