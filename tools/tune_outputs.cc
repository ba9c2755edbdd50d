// SPDX-License-Identifier: Apache-2.0
#include "tools/tune_outputs.h"

#include <cmath>

#include <fmt/format.h>

#include "models/history_json.h"

namespace genexx::tools {
namespace {

nlohmann::json number(double x) { return std::isfinite(x) ? nlohmann::json(x) : nlohmann::json(); }

std::string figure(const tune::TrialResult& r, double x) {
  return r.best_epoch > 0 && std::isfinite(x) ? fmt::format("{:.9g}", x) : "";
}

// Place of each trial among all, from 1, in the order of search.trials().
std::vector<std::size_t> ranks_of(const Search& search) {
  const std::vector<std::size_t> order = search.ranking();
  std::vector<std::size_t> ranks(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) ranks[order[i]] = i + 1;
  return ranks;
}

template <class T>
nlohmann::json axis(const char* name, const char* title, const tune::Range<T>& range) {
  return {{"name", name}, {"title", title}, {"logarithmic", range.distribution == "log_uniform"}};
}

}  // namespace

std::string tune_table(const Search& search) {
  std::string text =
      "trial\tgroup\tlearning_rate\tweight_decay\tlayers\tunits\tbatch\tdropout\tepochs\tbest_epoch\tvalidation_loss\t"
      "accuracy\tmacro_f1\tstate\trank\n";
  const std::vector<std::size_t> ranks = ranks_of(search);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const Trial& t = search.trials()[i];
    const tune::Hyperparameters& h = t.hyperparameters;
    const tune::TrialResult& r = t.result;
    text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", t.number, t.group,
                        h.learning_rate, h.weight_decay, h.layers, h.units, h.batch, h.dropout, r.epochs,
                        r.best_epoch > 0 ? fmt::format("{}", r.best_epoch) : "", figure(r, r.best.loss),
                        figure(r, r.best.accuracy), figure(r, r.best.macro_f1), search.state_of(t), ranks[i]);
  }
  return text;
}

void write_search(const RunDirectory& out, const Search& search, const std::vector<PhaseConfig>& phases,
                  const nlohmann::json& settings) {
  std::vector<EpochRecord> history;
  for (const Trial& t : search.trials()) history.insert(history.end(), t.history.begin(), t.history.end());
  HistoryColumns columns;
  columns.replica = "trial";
  out.write("tune_history.tsv", history_table(history, phases, columns));
  out.write_json("tune.json", settings);
  out.write("tune.tsv", tune_table(search));
}

nlohmann::json tuning_section(const Search& search, const tune::Config& config) {
  const tune::SearchSpace& s = config.space;
  nlohmann::json section = {{"score", config.score}, {"epochs", config.epochs}, {"rungs", search.rungs()}};
  section["axes"] = {axis("learning_rate", "Learning rate", s.learning_rate),
                     axis("weight_decay", "Weight decay", s.weight_decay),
                     axis("layers", "Layers", s.layers),
                     axis("units", "Units", s.units),
                     axis("batch", "Batch", s.batch),
                     axis("dropout", "Dropout", s.dropout)};
  const std::vector<std::size_t> ranks = ranks_of(search);
  nlohmann::json& trials = section["trials"] = nlohmann::json::array();
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const Trial& t = search.trials()[i];
    const tune::Hyperparameters& h = t.hyperparameters;
    const bool judged = t.result.best_epoch > 0;
    trials.push_back({{"trial", t.number},
                      {"group", t.group},
                      {"learning_rate", h.learning_rate},
                      {"weight_decay", h.weight_decay},
                      {"layers", h.layers},
                      {"units", h.units},
                      {"batch", h.batch},
                      {"dropout", h.dropout},
                      {"epochs", t.result.epochs},
                      {"best_epoch", judged ? nlohmann::json(t.result.best_epoch) : nlohmann::json()},
                      {"loss", judged ? number(t.result.best.loss) : nlohmann::json()},
                      {"accuracy", judged ? number(t.result.best.accuracy) : nlohmann::json()},
                      {"macro_f1", judged ? number(t.result.best.macro_f1) : nlohmann::json()},
                      {"state", search.state_of(t)},
                      {"rank", ranks[i]}});
  }
  return section;
}

nlohmann::json search_summary(const Search& search, std::size_t best, double seconds) {
  const Trial& t = search.trials()[best];
  std::int64_t epochs = 0;
  for (const Trial& one : search.trials()) epochs += one.result.epochs;
  return {{"trials", search.trials().size()},
          {"epochs", epochs},
          {"seconds", seconds},
          {"best_trial", t.number},
          {"best_epoch", t.result.best_epoch},
          {"validation",
           {{"accuracy", number(t.result.best.accuracy)},
            {"macro_f1", number(t.result.best.macro_f1)},
            {"loss", number(t.result.best.loss)}}}};
}

}  // namespace genexx::tools
