// A log and names that are written, and a directory for their backups.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "eventstore/backups.hpp"
#include "eventstore/checkpoint.hpp"
#include "eventstore/subjects.hpp"
#include "eventstore/verify.hpp"
#include "support.hpp"

namespace ota::eventstore::testing {

namespace fs = std::filesystem;

struct BackedUp {
  std::shared_ptr<const Signer> signer = std::make_shared<const Signer>(Signer{"ota-log/test", SigningKey::make()});
  Store store{[this] {
    Journal::Options options;
    options.signer = signer;
    return options;
  }()};
  TempDir place;
  std::unique_ptr<Subjects> subjects = Subjects::open(place.path() / "names");
  Backups backups{place.path() / "backups"};

  void write(std::size_t events, const std::string& payload = std::string(200, 'x')) {
    for (std::size_t i = 0; i < events; ++i) store.journal->append(append("s" + std::to_string(i % 50), {"t"}, payload), {});
    wait_for_all(*store.journal);
  }
  // Verifies what was restored, and answers how many events it has.
  std::uint64_t verified(const fs::path& data) const {
    const auto found = verify(*Log::open_read_only(data / "log"), {{{{signer->origin, signer->key.public_key()}, {1}, {}}}, {}, 0, {}});
    for (const auto& finding : found.findings) FAIL_CHECK(finding.first.value, ": ", finding.what);
    return found.events;
  }
};

inline std::string why_not(const std::function<void()>& act) {
  try {
    act();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "it was done";
}

}  // namespace ota::eventstore::testing
