// SPDX-License-Identifier: Apache-2.0
#include "bench/support/bench.h"
#include "kernels/operand_forms.h"

namespace genexx::bench {

// The first matrix of D-GEX, whose rows are not of whole 16 bytes, and one of its others.
void add_operand_forms(Suite& suite) {
  Context& ctx = suite.context();
  for (const auto& [rows, columns] : {std::pair<std::int64_t, std::int64_t>{3000, 943}, {3000, 3000}}) {
    const Tensor x = suite.random({1, rows, columns});
    const std::int64_t narrow = operand_forms::pitch(columns, DType::bf16),
                       wide = operand_forms::pitch(columns, DType::f32);
    const Tensor bf16 = suite.raw({1, rows, narrow}, DType::bf16), high = suite.output({1, rows, wide}),
                 low = suite.output({1, rows, wide});
    const std::string text = std::to_string(rows) + "x" + std::to_string(columns);
    const auto read = static_cast<double>(4 * rows * columns);
    suite.add({"operand_forms", text + " bf16", read + static_cast<double>(2 * rows * narrow), 0,
               [=, &ctx] { operand_forms::run(ctx, {.x = x, .high = bf16}); }});
    suite.add({"operand_forms", text + " two tf32", read + static_cast<double>(8 * rows * wide), 0,
               [=, &ctx] { operand_forms::run(ctx, {.x = x, .high = high, .low = low}); }});
  }
}

}  // namespace genexx::bench
