#include "tools/benchmarks/client_script.hpp"

#include <algorithm>
#include <array>

namespace ota::bench {
namespace {

using domain::Report;
using domain::UpdateCommand;

constexpr std::uint32_t kInstallBegins = 5'000;  // basis points, as the clients' "1 of 2"

struct Failure {
  std::int32_t code;
  const char* words;
};
constexpr std::array<Failure, 3> kFailures{{{31, "flash write error on slot B"},
                                            {42, "post-install script ended with status 1"},
                                            {57, "new image did not boot, fell back"}}};

Report said(std::uint32_t attempt, const char* words, std::optional<std::uint32_t> basis_points = {}) {
  Report report;
  report.attempt = attempt;
  report.phase_basis_points = basis_points;
  report.details = {words};
  return report;
}

Report end_of(const AttemptFate& fate) {
  Report report;
  report.attempt = fate.attempt;
  report.kind = fate.fails ? Report::Kind::kFailure : Report::Kind::kSuccess;
  if (fate.fails) {
    const auto& failure = kFailures[fate.failure % kFailures.size()];
    report.code = failure.code;
    report.details = {failure.words};
  } else {
    report.details = {"installed " + fate.version};
  }
  return report;
}

}  // namespace

std::vector<UpdateCommand> words_of(Client client, const AttemptFate& fate) {
  const bool fetches = fate.attempt == 1;
  const char* const begins = client == Client::kRauc ? "Starting download." : "Installing Update Chunk Artifacts.";
  const char* const loaded = client == Client::kRauc ? "File checksum OK." : "Installed Chunk.";
  std::vector<UpdateCommand> words;
  words.emplace_back(domain::StartAttempt{fate.attempt, /*downloads_here=*/true});
  if (client != Client::kZephyr) words.emplace_back(said(fate.attempt, begins));
  if (fetches) words.emplace_back(domain::NoteArtifactRequest{fate.attempt});
  if (client != Client::kZephyr) {
    words.emplace_back(said(fate.attempt, loaded));
    words.emplace_back(said(fate.attempt, "installing", kInstallBegins));
  }
  if (fate.cut_after) {
    const auto until = std::min(*fate.cut_after + 1, words.size());
    std::vector<UpdateCommand> whole(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(until));
    whole.insert(whole.end(), words.begin(), words.end());
    words = std::move(whole);
  }
  const bool silent = client == Client::kZephyr && fate.fails;
  if (!silent) words.emplace_back(end_of(fate));
  if (fate.late_word && client != Client::kZephyr) words.emplace_back(said(fate.attempt, loaded));
  return words;
}

}  // namespace ota::bench
