// When the log signs what it has come to: every so many events, when asked, when the key changes, and at the end; and what it
// can prove with it.
#include "eventstore/checkpoint_writer.hpp"

#include <doctest/doctest.h>

#include "eventstore/checkpoint.hpp"
#include "eventstore/limits.hpp"
#include "eventstore/proofs.hpp"
#include "eventstore/record.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

std::shared_ptr<const Signer> signer() { return std::make_shared<const Signer>(Signer{"ota-log/test", SigningKey::make()}); }

Journal::Options signed_by(std::shared_ptr<const Signer> who) {
  Journal::Options options;
  options.signer = std::move(who);
  return options;
}

VerifierKey verifier(const Signer& who) { return {who.origin, who.key.public_key()}; }

SignedCheckpoint parsed(std::string_view note) {
  auto read = parse_checkpoint(note);
  REQUIRE_MESSAGE(std::holds_alternative<SignedCheckpoint>(read), note);
  return std::get<SignedCheckpoint>(std::move(read));
}

std::vector<SignedCheckpoint> checkpoints(const Store& store) {
  std::vector<SignedCheckpoint> all;
  Proofs(store.log).checkpoints(0, [&](std::uint64_t size, std::string_view note) {
    all.push_back(parsed(note));
    CHECK(all.back().checkpoint.tree.size == size);
    return true;
  });
  return all;
}

std::vector<std::uint64_t> sizes(const Store& store) {
  std::vector<std::uint64_t> all;
  for (const auto& one : checkpoints(store)) all.push_back(one.checkpoint.tree.size);
  return all;
}

void append_events(Store& store, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    store.journal->append(append("s" + std::to_string(i % 7), {"t"}, std::to_string(i)), {});
  }
  wait_for_all(*store.journal);
}

void ask_for_checkpoint(Store& store) {
  std::promise<void> done;
  store.journal->checkpoint([&](const AppendOutcome& outcome) {
    CHECK(std::holds_alternative<Committed>(outcome));
    done.set_value();
  });
  done.get_future().get();
}

// The root over the leaves of the first events, made from their records.
Hash root_of_records(const Store& store, std::uint64_t size) {
  merkle::Builder builder;
  Sha256 sha;
  const Proofs proofs(store.log);
  for (std::uint64_t position = 1; position <= size; ++position) builder.add(leaf_of_record(sha, *proofs.record({position})));
  return builder.root();
}

}  // namespace

TEST_CASE("the tree is signed every 4,096 events and at the end, and the roots are those of the records") {
  const auto who = signer();
  Store store(signed_by(who));
  append_events(store, 3 * limits::kCheckpointEvents + 1'000);
  store.reopen();
  const auto found = checkpoints(store);
  REQUIRE(found.size() == 4);
  for (const auto& one : found) {
    const auto size = one.checkpoint.tree.size;
    CHECK(one.is_signed_by(verifier(*who)));
    CHECK(one.checkpoint.origin == who->origin);
    CHECK(one.checkpoint.tree.root == root_of_records(store, size));
    store.log->read_one({size}, [&](const RecordedEvent& event) {
      CHECK(event.time == one.checkpoint.time);
      return true;
    });
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const auto since = found[i].checkpoint.tree.size - (i == 0 ? 0 : found[i - 1].checkpoint.tree.size);
    CHECK(since >= limits::kCheckpointEvents);
    CHECK(since < limits::kCheckpointEvents + limits::kGroupEvents);
  }
  CHECK(found.back().checkpoint.tree.size == store.log->head().value);
}

TEST_CASE("what was asked for is signed before the answer, once, and gives way to the next") {
  Store store(signed_by(signer()));
  ask_for_checkpoint(store);  // of nothing there is none
  CHECK(sizes(store).empty());
  append_events(store, 10);
  CHECK(sizes(store).empty());
  ask_for_checkpoint(store);
  CHECK(sizes(store) == std::vector<std::uint64_t>{10});
  ask_for_checkpoint(store);
  CHECK(sizes(store) == std::vector<std::uint64_t>{10});
  append_events(store, 5);
  ask_for_checkpoint(store);
  CHECK(sizes(store) == std::vector<std::uint64_t>{15});
  store.reopen();
  append_events(store, 5);
  ask_for_checkpoint(store);
  CHECK(sizes(store) == std::vector<std::uint64_t>{20});
  append_events(store, limits::kCheckpointEvents - 30);
  ask_for_checkpoint(store);
  append_events(store, 100);
  ask_for_checkpoint(store);
  append_events(store, 100);
  ask_for_checkpoint(store);
  // Neighbours are never more than 4,096 events apart for it.
  CHECK(sizes(store) == std::vector<std::uint64_t>{limits::kCheckpointEvents - 10, limits::kCheckpointEvents + 190});
}

TEST_CASE("a checkpoint counts the events of its own group") {
  Store store(signed_by(signer()));
  Barricade first("journal.before_write");
  store.journal->append(append("s"), {});
  first.wait_until_reached();
  store.journal->append(append("s"), {});
  store.journal->checkpoint({});
  store.journal->append(append("s"), {});
  first.open();
  wait_for_all(*store.journal);
  CHECK(sizes(store) == std::vector<std::uint64_t>{3});
}

TEST_CASE("a new key signs from its event on, together with the old one at first") {
  const auto old_key = signer();
  const auto new_key = signer();
  Store store(signed_by(old_key));
  append_events(store, 3);
  ask_for_checkpoint(store);
  auto change = append("service", {}, "the key is another");
  change.signer = new_key;
  CHECK(commit(*store.journal, std::move(change)).first.value == 4);
  const auto both = checkpoints(store).back();
  CHECK(both.checkpoint.tree.size == 4);
  CHECK(both.is_signed_by(verifier(*old_key)));
  CHECK(both.is_signed_by(verifier(*new_key)));
  append_events(store, 1);
  ask_for_checkpoint(store);
  const auto later = checkpoints(store).back();
  CHECK(later.checkpoint.tree.size == 5);
  CHECK_FALSE(later.is_signed_by(verifier(*old_key)));
  CHECK(later.is_signed_by(verifier(*new_key)));
}

TEST_CASE("the key stays as it was when the event of another does not commit") {
  const auto old_key = signer();
  Store store(signed_by(old_key));
  append_events(store, 1);
  auto change = append_if({{"s0", {0}}}, "service");
  change.signer = signer();
  CHECK(std::holds_alternative<Conflict>(ask(*store.journal, std::move(change))));
  append_events(store, 1);
  ask_for_checkpoint(store);
  CHECK(checkpoints(store).back().is_signed_by(verifier(*old_key)));
}

TEST_CASE("without a signer nothing is signed, and the first key begins with its event") {
  Store store;
  append_events(store, 5'000);
  ask_for_checkpoint(store);
  CHECK(sizes(store).empty());
  CHECK_FALSE(Proofs(store.log).checkpoint());
  const auto who = signer();
  auto change = append("service");
  change.signer = who;
  commit(*store.journal, std::move(change));
  const auto note = Proofs(store.log).checkpoint();
  REQUIRE(note);
  CHECK(parsed(*note).is_signed_by(verifier(*who)));
  CHECK(parsed(*note).signatures.size() == 1);
}

TEST_CASE("proofs from the stored tree lead every event to a checkpoint, and one checkpoint to another") {
  Store store(signed_by(signer()));
  append_events(store, 1'000);
  const Proofs proofs(store.log);
  Sha256 sha;
  for (const std::uint64_t size : {1, 2, 255, 256, 257, 700, 1'000}) {
    const auto tree = proofs.tree(size);
    CHECK(tree.root == root_of_records(store, size));
    for (std::uint64_t position = 1; position <= size; position += 1 + size / 9) {
      const auto leaf = leaf_of_record(sha, *proofs.record({position}));
      CHECK(merkle::proves_inclusion(sha, leaf, position - 1, size, proofs.inclusion({position}, size), tree.root));
    }
    for (const std::uint64_t from : {1, 2, 255, 256, 257, 700}) {
      if (from > size) continue;
      CHECK(merkle::proves_consistency(sha, proofs.tree(from), tree, proofs.consistency(from, size)));
    }
  }
  CHECK_FALSE(proofs.record({1'001}));
}
