// SPDX-License-Identifier: Apache-2.0
// genexx tune: a random search over the hyperparameters of a classifier, and a model trained by the best of them.
#include "tools/tune_run.h"
#include "tools/verbs.h"

namespace genexx::tools {

void add_tune(CLI::App& app, Program& program) {
  CLI::App* verb = app.add_subcommand(
      "tune", "Tries random hyperparameters, many networks at a time, and trains a model by the best of them.");
  const auto o = std::make_shared<TuneOptions>();
  o->train.model = "fly";
  o->train.replicas = 1;
  verb->add_option("--model", o->train.model, "fly, or mlp for a network of one's own")
      ->check(CLI::IsMember({"fly", "mlp"}))
      ->capture_default_str();
  verb->add_option("--trials", o->trials, "how many sets of hyperparameters to try; 20 when not given");
  verb->add_option("--epochs", o->epochs,
                   "most epochs of a trial; half of what the model is trained for when not given");
  verb->add_option("--halving", o->halving, "successive halving: of so many trials one goes on, rung by rung");
  verb->add_option("--only-trial", o->only_trial, "train this trial alone; its figures are those it has among others")
      ->check(CLI::Range(0, 99999));
  verb->add_flag("--refit,!--no-refit", o->refit, "train a model by the best trial's hyperparameters (the default)");
  add_classifier_options(*verb, o->train);
  verb->callback([&program, o] {
    program.action = [&program, o] {
      join_ranks(o->train, program);
      tune_model(*o, program);
    };
  });
}

}  // namespace genexx::tools
