// SPDX-License-Identifier: Apache-2.0
// What bench_training_step was asked for, and what of it several of its parts need.
#pragma once

#include <memory>
#include <string>

#include "bench/training/step_case.h"
#include "engine/context.h"

namespace genexx::bench {

struct StepOptions {
  std::string system;
  StepSizes sizes;
  std::int64_t replicas = 1, epochs = 1, check_steps = 20, warm_steps = 0;
  int threads = 2;
  std::string device = "cpu", precision = "fp32", moments = "fp32";
  std::string export_file, from_file, model_file;
  std::string check = "both";
  bool gate = false;
};

// The device asked for, in the class of precision asked for. `pool` must outlive it.
std::unique_ptr<Context> make_step_context(const StepOptions& options, ThreadPool& pool);

// The case with its optimizers' moments stored as asked for.
StepCase with_moments(const StepOptions& options, StepCase c);

// The trainer's configuration without what happens between epochs, its phases `epochs` each, `times` times over.
TrainerConfig repeated(const TrainerConfig& once, std::int64_t epochs, std::int64_t times);

// Writes what the other side needs and what it must arrive at: data, the order of an epoch, weights before, losses and
// weights of the check, gradients of the first step in f64.
void export_case(const StepOptions& options, const StepCase& c, ThreadPool& pool);

// Says as JSON how far training on the device in the class of precision is from f64 on the CPU, and whether two runs
// have the same bytes.
void report_gate(const StepOptions& options, const StepCase& c, ThreadPool& pool);

// Answers every line of stdin, a number of seconds or nothing, with JSON: milliseconds a step of each phase.
void serve_rounds(const StepOptions& options, const StepCase& c, ThreadPool& pool);

// Trains `epochs` of each phase and writes the weights: what a user waits for.
void train_model(const StepOptions& options, const StepCase& c, ThreadPool& pool);

// Puts the data of a case file in the place of the case's own.
void take_data(const std::string& path, StepCase& c);

}  // namespace genexx::bench
