#include "tools/otactl/proof_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "domain/codec/codec.hpp"
#include "domain/streams.hpp"
#include "eventstore/base64.hpp"
#include "eventstore/merkle.hpp"
#include "eventstore/record.hpp"
#include "tools/otactl/event_line.hpp"
#include "tools/otactl/log_directory.hpp"
#include "tools/otactl/proof_words.hpp"

namespace ota::ctl {
namespace {

using eventstore::Hash;
using nlohmann::json;

constexpr int kDeepest = 100;  // levels: no proof has as many, and what walks through them does so on the stack

std::optional<std::uint64_t> number(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name) || !object[name].is_number_unsigned()) return std::nullopt;
  return object[name].get<std::uint64_t>();
}
std::optional<std::string> text(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name) || !object[name].is_string()) return std::nullopt;
  return object[name].get<std::string>();
}

std::optional<std::vector<Hash>> path_of(const json& proof) {
  if (!proof.contains("path") || !proof["path"].is_array()) return std::nullopt;
  std::vector<Hash> path;
  for (const auto& step : proof["path"]) {
    const auto bytes = step.is_string() ? eventstore::from_base64(step.get<std::string>()) : std::nullopt;
    if (!bytes || bytes->size() != sizeof(Hash)) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), path.emplace_back().begin());
  }
  return path;
}

std::vector<eventstore::VerifierKey> keys_of(const json& proof) {
  std::vector<eventstore::VerifierKey> keys;
  if (!proof.contains("keys") || !proof["keys"].is_array()) return keys;
  for (const auto& key : proof["keys"]) {
    const auto parsed = eventstore::VerifierKey::parse(text(key, "key").value_or(""));
    if (parsed) keys.push_back(*parsed);
  }
  return keys;
}

}  // namespace

json parse_proof(const std::string& text) {
  std::vector<std::set<std::string>> names;
  bool twice = false;
  bool too_deep = false;
  const auto look = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > kDeepest) return too_deep = true, false;
    if (event == json::parse_event_t::object_start) names.emplace_back();
    if (event == json::parse_event_t::key) twice = !names.back().insert(parsed.get<std::string>()).second || twice;
    if (event == json::parse_event_t::object_end) names.pop_back();
    return true;
  };
  auto parsed = json::parse(text, look, false);
  return twice || too_deep ? json(json::value_t::discarded) : parsed;
}

std::variant<Proven, std::string> check_proof(const json& proof, const std::vector<eventstore::VerifierKey>& trusted) {
  if (!proof.is_object()) return fmt::format("this is no proof: it is no JSON object, says a member twice, or has more than {} levels", kDeepest);
  const auto position = number(proof, "position");
  const auto record = eventstore::from_base64(text(proof, "record").value_or(""));
  const auto path = path_of(proof);
  if (!position || *position == 0) return "this is no proof: it has no position";
  if (!record) return "this is no proof: its record is not base64";
  if (!path) return "this is no proof: its path is no list of hashes in base64";
  eventstore::RecordedEvent event;
  if (const auto fault = eventstore::decode_record(*record, event)) {
    return fmt::format("the record of the proof is damaged: its {} at byte {}", fault->what, fault->offset);
  }
  const auto note = text(proof, "checkpoint");
  if (!note) return "the proof has no checkpoint: its path leads to a tree that nobody signed";
  auto parsed = eventstore::parse_checkpoint(*note);
  if (const auto* why = std::get_if<std::string>(&parsed)) return "in the proof: " + *why;

  Proven proven;
  proven.checkpoint = std::get<eventstore::SignedCheckpoint>(std::move(parsed));
  proven.key_is_from_proof = trusted.empty();
  const auto keys = trusted.empty() ? keys_of(proof) : trusted;
  const auto signer = std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return proven.checkpoint.is_signed_by(key); });
  if (signer == keys.end()) {
    return trusted.empty() ? "the checkpoint is signed by no key that the proof names" : "the checkpoint is not signed by the key that is trusted";
  }
  proven.signer = signer->text();
  const auto& tree = proven.checkpoint.checkpoint.tree;
  eventstore::Sha256 sha;
  const auto leaf = eventstore::leaf_of_record(sha, *record);
  if (*position > tree.size || !eventstore::merkle::proves_inclusion(sha, leaf, *position - 1, tree.size, *path, tree.root)) {
    return fmt::format("the path does not lead from the record, as event {}, to the checkpoint of {} events", *position, tree.size);
  }
  event.position = {*position};
  if (auto fault = unproven_words(proof, event, leaf, tree); !fault.empty()) return fault;
  proven.position = *position;
  proven.type = domain::event_name(event.type);
  proven.stream = domain::readable_name(event.stream);
  proven.time = time_text(event.time);
  const auto decoded = domain::decode(event.type, event.payload);
  proven.data = decoded ? data_text(*decoded) : "";
  return proven;
}

}  // namespace ota::ctl
