// Who signs the log: a key that is made at the first start, known by an event, changed by another; and what a crash in between
// leaves.
#include "actors/log_keys.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <stdexcept>

#include "eventstore/checkpoint_rows.hpp"
#include "eventstore/database.hpp"
#include "eventstore/database_options.hpp"
#include "eventstore/fault.hpp"
#include "eventstore/proofs.hpp"
#include "projections/log_key_list.hpp"
#include "tests/actors/stage.hpp"

using namespace ota;
using namespace ota::actors;
using ota::actors::test::Stage;

namespace {

namespace fs = std::filesystem;
using domain::LogKeyChange;
using projections::LogKey;
using projections::log_keys;

eventstore::PublicKey key_in(const fs::path& file) { return eventstore::SigningKey::read(file).public_key(); }

// A stage whose log is signed, by keys in a directory that outlives each start.
struct Signed {
  fs::path keys;
  fs::path data;
  bool replace_lost = false;
  std::function<void()> at_start;   // while no service runs
  Stage stage{[this](ServiceOptions& options) {
    if (at_start) at_start();
    data = options.data_directory;
    keys = options.data_directory / "keys";
    options.key_directory = keys;
    options.replace_lost_log_key = replace_lost;
  }};

  Service& service() { return stage.service(); }
  std::vector<LogKey> known() { return log_keys(service().log()); }
  eventstore::SignedCheckpoint newest() {
    service().sign();
    const auto note = service().proofs().checkpoint();
    REQUIRE(note);
    auto parsed = eventstore::parse_checkpoint(*note);
    REQUIRE(std::holds_alternative<eventstore::SignedCheckpoint>(parsed));
    return std::get<eventstore::SignedCheckpoint>(std::move(parsed));
  }
  std::string why_no_restart() {
    try {
      stage.restart();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it starts";
  }
};

}  // namespace

TEST_CASE("the first start makes a key, tells the log of it, and the next ones go on with it") {
  Signed log;
  REQUIRE(log.known().size() == 1);
  const auto first = log.known().front();
  CHECK(first.position.value == 1);
  CHECK(first.change == LogKeyChange::kFirst);
  CHECK_FALSE(first.vouched);
  CHECK(first.key.name.starts_with("ota-log/"));
  CHECK(log.newest().is_signed_by(first.key));
  log.stage.restart();
  log.stage.device("d1", "1.0.0");
  CHECK(log.known().size() == 1);
  CHECK(log.newest().is_signed_by(first.key));
  CHECK(log.newest().checkpoint.tree.size == log.service().log().head().value);
}

TEST_CASE("rotation: the new key is vouched for by the old one, signs from its event on, and keeps the log's name") {
  Signed log;
  log.stage.device("d1", "1.0.0");
  const auto answer = log.service().rotate_log_key({});
  REQUIRE(answer);
  CHECK(answer.value().wrote);
  const auto known = log.known();
  REQUIRE(known.size() == 2);
  CHECK(known[1].position == answer.value().position);
  CHECK(known[0].until == known[1].position);
  CHECK(known[1].change == LogKeyChange::kRotated);
  CHECK(known[1].vouched);
  CHECK(known[1].key.name == known[0].key.name);
  CHECK(known[1].key.key != known[0].key.key);
  log.stage.device("d2", "1.0.0");
  CHECK(log.newest().is_signed_by(known[1].key));
  CHECK_FALSE(log.newest().is_signed_by(known[0].key));
  log.stage.restart();
  log.stage.device("d3", "1.0.0");
  CHECK(log.newest().is_signed_by(known[1].key));
}

TEST_CASE("a rotation that is asked for twice under one command is one") {
  Signed log;
  Meta meta;
  meta.command = eventstore::CommandId{{7}};
  meta.repeatable = true;
  REQUIRE(log.service().rotate_log_key(meta));
  const auto again = log.service().rotate_log_key(meta);
  REQUIRE(again);
  CHECK(again.value().repeated);
  CHECK(log.known().size() == 2);
  CHECK(log.newest().is_signed_by(log.known().back().key));
  CHECK_FALSE(fs::exists(log.keys / "log.pem.next"));
}

TEST_CASE("a crash before the event of a new key: the key never was; behind it: the key is the log's") {
  Signed log;
  const auto first = log.known().back();
  const auto never = eventstore::SigningKey::make();
  never.write(log.keys / "log.pem.next");
  log.stage.restart();
  CHECK(key_in(log.keys / "log.pem.1") == never.public_key());  // who knows which log it is of
  CHECK_FALSE(fs::exists(log.keys / "log.pem.next"));
  CHECK(log.newest().is_signed_by(first.key));

  fs::copy_file(log.keys / "log.pem", log.keys / "earlier");
  REQUIRE(log.service().rotate_log_key({}));
  fs::rename(log.keys / "log.pem", log.keys / "log.pem.next");
  fs::rename(log.keys / "earlier", log.keys / "log.pem");
  log.stage.restart();
  CHECK_FALSE(fs::exists(log.keys / "log.pem.next"));
  log.stage.device("d1", "1.0.0");
  CHECK(log.newest().is_signed_by(log.known().back().key));
  CHECK(log.known().size() == 2);
}

TEST_CASE("without the key that the log knows the service does not start, unless it is told to go on with another") {
  Signed log;
  const auto first = log.known().back();
  fs::rename(log.keys / "log.pem", log.keys / "kept");
  CHECK(log.why_no_restart() ==
        "the log's signing key " + (log.keys / "log.pem").string() + " is missing: the log knows " + first.key.text() +
            " since event 1. Put the right file there, or start once with --log.replace_lost_key on to go on with a new key, "
            "which nothing vouches for");
  eventstore::SigningKey::make().write(log.keys / "log.pem");
  CHECK(log.why_no_restart().find("is another: the log knows " + first.key.text()) != std::string::npos);
  log.replace_lost = true;
  log.stage.restart();
  CHECK(fs::exists(log.keys / "log.pem.1"));  // what was there is kept
  const auto known = log.known();
  REQUIRE(known.size() == 2);
  CHECK(known[1].change == LogKeyChange::kLost);
  CHECK_FALSE(known[1].vouched);
  CHECK(log.newest().is_signed_by(known[1].key));
  log.stage.restart();  // the flag does no harm later
  CHECK(log.known().size() == 2);
}

TEST_CASE("a rotation keeps the key that it replaces; a log that knows no later one, repaired or put back, goes on with it") {
  Signed log;
  const auto first = log.known().back().key.key;
  log.stage.restart();
  const auto before = log.data / "before";
  log.at_start = [&] { fs::copy(log.data / "log", before, fs::copy_options::recursive); };
  log.stage.restart();
  log.at_start = {};
  REQUIRE(log.service().rotate_log_key({}));
  REQUIRE(log.service().rotate_log_key({}));
  const auto newest = log.known().back().key.key;
  CHECK(key_in(log.keys / "log.pem.1") == first);
  CHECK(key_in(log.keys / "log.pem") == newest);

  log.at_start = [&] {
    fs::remove_all(log.data / "log");
    fs::remove_all(log.data / "views");
    fs::rename(before, log.data / "log");
  };
  log.stage.restart();
  log.at_start = {};
  CHECK(log.known().size() == 1);
  CHECK(key_in(log.keys / "log.pem") == first);
  CHECK(log.newest().is_signed_by(log.known().back().key));
  std::size_t kept = 0;
  for (const auto& entry : fs::directory_iterator(log.keys)) kept += entry.path() != log.keys / "log.pem" && key_in(entry.path()) == newest;
  CHECK(kept == 1);  // nothing is lost of what that log knew
}

TEST_CASE("a new key whose file cannot take its place is kept beside, whatever is asked next, and takes it later") {
  Signed log;
  const auto first = log.known().back().key.key;
  eventstore::fault::set_hook([&](std::string_view name) {
    if (name == "log_keys.before_take") fs::create_directories(log.keys / "log.pem" / "in the way");
  });
  const auto rotated = log.service().rotate_log_key({});
  CHECK(rotated.ok());  // the log knows it, and it signs
  const auto second = log.known().back().key.key;
  CHECK(second != first);
  CHECK(key_in(log.keys / "log.pem.next") == second);
  CHECK(key_in(log.keys / "log.pem.1") == first);
  fs::remove_all(log.keys / "log.pem");

  // It cannot yet: nothing is rotated, and the key is still there.
  CHECK_FALSE(log.service().rotate_log_key({}).ok());
  CHECK(key_in(log.keys / "log.pem.next") == second);
  eventstore::fault::set_hook({});
  fs::remove_all(log.keys / "log.pem");
  REQUIRE(log.service().rotate_log_key({}).ok());
  CHECK(log.known().size() == 3);
  CHECK(key_in(log.keys / "log.pem") == log.known().back().key.key);
  CHECK(key_in(log.keys / "log.pem.2") == second);
  log.stage.restart();
  CHECK(log.newest().is_signed_by(log.known().back().key));
}

TEST_CASE("a log whose checkpoints a repair has cut off is signed by the next start") {
  Signed log;
  log.stage.device("d1", "1.0.0");
  const auto head = log.service().log().head().value;
  log.at_start = [&] {
    const auto database = eventstore::Database::open(log.data / "log", std::make_shared<eventstore::Head>(), nullptr);
    eventstore::read_checkpoints(*database, 0, [&](const eventstore::CheckpointRow& row) {
      auto* family = database->family(eventstore::Family::kMeta);
      REQUIRE(database->db().Delete(eventstore::durable_write(), family, eventstore::checkpoint_key(row.size)).ok());
      return true;
    });
  };
  log.stage.restart();
  log.service().settle();
  const auto note = log.service().proofs().checkpoint();
  REQUIRE(note);
  CHECK(std::get<eventstore::SignedCheckpoint>(eventstore::parse_checkpoint(*note)).checkpoint.tree.size >= head);
}

TEST_CASE("a key beside a log that knows none is left alone") {
  Signed log;
  log.stage.restart();
  const auto directory = fs::temp_directory_path() / ("ota-keys-" + std::to_string(::getpid()));
  fs::create_directories(directory);
  eventstore::SigningKey::make().write(directory / "log.pem");
  const auto empty = eventstore::Log::open(directory / "log");
  CHECK_THROWS_WITH_AS(LogKeys(empty, directory, true), doctest::Contains("is of another log: this one knows no key"),
                       std::runtime_error);
  fs::remove_all(directory);
}
