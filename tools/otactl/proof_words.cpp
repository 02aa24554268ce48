#include "tools/otactl/proof_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <variant>

#include "domain/codec/codec.hpp"
#include "domain/codec/readable.hpp"
#include "eventstore/base64.hpp"
#include "eventstore/checkpoint.hpp"
#include "tools/otactl/event_line.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

std::string text_of(const eventstore::Hash& hash) {
  return eventstore::base64_of({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

// Bytes that are no text come with replacement characters in their places.
json as_shown(const json& value) { return json::parse(value.dump(-1, ' ', false, json::error_handler_t::replace)); }

// To the letter: as values 1 and 1.0 are equal, and so are -1 and the largest number that is none below zero.
bool is_same(const json& said, const json& proven) { return said.dump() == proven.dump(); }

std::string another(const std::string& where) {
  return fmt::format("the proof is sound, but its field {} is not what it proves: somebody has changed what is there to be read", where);
}
std::string unknown(const std::string& where) {
  return fmt::format("the proof is sound, but it does not prove its field {}: somebody has added what is there to be read", where);
}

// Of a value that the record says. The first fault; empty: none.
struct Against {
  const json& said;
  const std::string where;

  std::string operator()(const domain::JsonText& given) const {
    return held(is_json(given.text) ? json::parse(given.text) : json(given.text));
  }
  std::string operator()(domain::Caller) const { return said.is_string() || said.is_null() ? "" : another(where); }
  std::string operator()(const domain::ReadableList& list) const {
    if (!said.is_array() || said.size() != list.size()) return another(where);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (auto fault = std::visit(Against{said[i], fmt::format("{}.{}", where, i)}, list[i].value); !fault.empty()) return fault;
    }
    return "";
  }
  std::string operator()(const domain::ReadableFields& fields) const {
    if (!said.is_object()) return another(where);
    for (const auto& [name, value] : said.items()) {
      const auto path = fmt::format("{}.{}", where, name);
      const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.name == name; });
      if (field == fields.end()) return unknown(path);
      if (auto fault = std::visit(Against{value, path}, field->value.value); !fault.empty()) return fault;
    }
    return "";
  }
  std::string operator()(const auto& plain) const { return held(json(plain)); }

 private:
  std::string held(const json& proven) const { return is_same(said, as_shown(proven)) ? "" : another(where); }
};

std::string fault_of_data(const json& said, const eventstore::RecordedEvent& event) {
  const auto decoded = domain::decode(event.type, event.payload);
  if (!decoded) return said.is_null() ? "" : another("event.data");
  return Against{said, "event.data"}(domain::readable(*decoded));
}

std::string fault_of_event(const json& said, const eventstore::RecordedEvent& event) {
  if (!said.is_object()) return another("event");
  auto proven = event_json(event);
  proven.erase("actor_token");
  for (const auto& [name, value] : said.items()) {
    const auto where = "event." + name;
    if (name == "actor") {
      if (!value.is_null() && (event.caller.empty() || !value.is_string())) return another(where);
    } else if (name == "data") {
      if (auto fault = fault_of_data(value, event); !fault.empty()) return fault;
    } else if (!proven.contains(name)) {
      return unknown(where);
    } else if (!is_same(value, as_shown(proven[name]))) {
      return another(where);
    }
  }
  return "";
}

// Which keys there were when is the service's word: each is one, and no more is said of it than GET /audit/keys does.
std::string fault_of_keys(const json& keys) {
  static constexpr std::string_view kOfKey[] = {"key", "origin", "since", "until", "change", "vouched", "position", "actor"};
  if (!keys.is_array()) return another("keys");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto where = fmt::format("keys.{}", i);
    const auto& key = keys[i];
    if (!key.is_object() || !key.contains("key") || !key["key"].is_string() || !eventstore::VerifierKey::parse(key["key"].get<std::string>())) {
      return fmt::format("the proof is sound, but its field {} is no key", where);
    }
    for (const auto& [name, value] : key.items()) {
      const bool is_known = std::find(std::begin(kOfKey), std::end(kOfKey), name) != std::end(kOfKey);
      if (!is_known || value.is_structured()) return unknown(where + "." + name);
    }
  }
  return "";
}

}  // namespace

std::string unproven_words(const json& proof, const eventstore::RecordedEvent& event, const eventstore::Hash& leaf,
                           const eventstore::merkle::Tree& tree) {
  const json proven{{"leaf_index", event.position.value - 1},
                    {"leaf_hash", text_of(leaf)},
                    {"tree", {{"size", tree.size}, {"root", text_of(tree.root)}}}};
  for (const auto& [name, value] : proof.items()) {
    static constexpr std::string_view kProves[] = {"position", "record", "path", "checkpoint"};
    if (std::find(std::begin(kProves), std::end(kProves), name) != std::end(kProves)) continue;
    if (name == "keys") {
      if (auto fault = fault_of_keys(value); !fault.empty()) return fault;
    } else if (name == "event") {
      if (auto fault = fault_of_event(value, event); !fault.empty()) return fault;
    } else if (!proven.contains(name)) {
      return unknown(name);
    } else if (!is_same(value, proven[name])) {
      return another(name);
    }
  }
  return "";
}

}  // namespace ota::ctl
