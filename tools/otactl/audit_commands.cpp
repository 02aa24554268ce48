// otactl audit verify | checkpoint | keys | rotate-key | prove | check
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "eventstore/backups.hpp"
#include "eventstore/base64.hpp"
#include "eventstore/log.hpp"
#include "eventstore/verify.hpp"
#include "projections/log_key_list.hpp"
#include "tools/otactl/failure.hpp"
#include "tools/otactl/human.hpp"
#include "tools/otactl/json_cells.hpp"
#include "tools/otactl/log_directory.hpp"
#include "tools/otactl/number_options.hpp"
#include "tools/otactl/output.hpp"
#include "tools/otactl/proof_check.hpp"
#include "tools/otactl/session.hpp"
#include "tools/otactl/table.hpp"
#include "tools/otactl/transfer_progress.hpp"
#include "tools/otactl/url.hpp"
#include "tools/otactl/verify_place.hpp"

namespace ota::ctl {
namespace {

using nlohmann::json;

constexpr std::chrono::milliseconds kLookEvery{500};

std::string read_text(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw Failure(kExitUsage, fmt::format("the file {} cannot be read", file));
  return bytes;
}

// To a file, or to the terminal if there is none.
void write_text(const std::string& file, const std::string& bytes) {
  if (file.empty()) {
    fmt::print("{}", bytes);
    return;
  }
  std::ofstream out(file, std::ios::binary);
  out << bytes;
  if (!out.flush()) throw Failure(kExitFailed, fmt::format("the file {} cannot be written", file));
}

std::vector<eventstore::VerifierKey> keys_of(const std::vector<std::string>& texts) {
  std::vector<eventstore::VerifierKey> keys;
  for (const auto& text : texts) {
    const auto key = eventstore::VerifierKey::parse(text);
    if (!key) throw Failure(kExitUsage, fmt::format("'{}' is no key: name+id+base64, as `otactl audit keys` shows it", text::printable(text)));
    keys.push_back(*key);
  }
  return keys;
}

std::string place_of(std::uint64_t first, std::uint64_t last) {
  if (first == 0) return "";
  return first == last ? fmt::format("event {}: ", first) : fmt::format("events {} to {}: ", first, last);
}

// ---- verify ----------------------------------------------------------------------------------------------------------

// What a verification has found, wherever it ran: `result` as GET /audit/verification has it under `last`.
std::string verification_text(const json& result) {
  const auto number = [&](const char* name) { return result.value(name, std::uint64_t{0}); };
  const auto ms = std::max<std::uint64_t>(1, number("took_ms"));
  std::string text = fmt::format("{} events and {} rows of indexes in {:.1f} s, {} events a second\n", number("events"),
                                 number("index_rows"), static_cast<double>(ms) / 1000.0, number("events") * 1000 / ms);
  text += fmt::format("root of {} events: {}\n", number("head"), result.value("root", ""));
  if (number("checkpoints") == 0) {
    text += "no checkpoint: nothing is signed\n";
  } else {
    const auto unsigned_events = number("head") - number("signed_events");
    text += fmt::format("{} checkpoints hold, the newest of {} events; ", number("checkpoints"), number("signed_events"));
    text += unsigned_events == 0 ? "all are signed\n" : fmt::format("nothing is signed of the {} behind it\n", unsigned_events);
  }
  if (result.contains("key") && result["key"].is_string()) {
    text += fmt::format("its first key: {}\n", text::printable(result["key"].get<std::string>()));
    if (!result.value("key_is_known", false)) {
      text += "That key is the log's own word: compare it with one that you know, or name that with --key, or hold a checkpoint\n"
              "that you kept against the log with --checkpoint.\n";
    }
  }
  if (result.value("sound", false)) return text + "The log is sound.\n";
  if (result.contains("error") && result["error"].is_string()) text += text::printable(result["error"].get<std::string>()) + "\n";
  for (const auto& finding : result["findings"]) {
    const auto at = [&](const char* name) { return finding[name].is_null() ? 0 : finding[name].get<std::uint64_t>(); };
    text += place_of(at("first"), at("last")) + text::printable(finding["what"].get<std::string>()) + "\n";
  }
  if (number("further_findings") != 0) text += fmt::format("and {} more\n", number("further_findings"));
  return text + "THE LOG IS NOT SOUND.\n";
}

json verification_json(const eventstore::Verification& found, std::chrono::milliseconds took) {
  json findings = json::array();
  for (const auto& f : found.findings) {
    findings.push_back({{"first", f.first.value == 0 ? json(nullptr) : json(f.first.value)},
                        {"last", f.last.value == 0 ? json(nullptr) : json(f.last.value)},
                        {"what", f.what}});
  }
  return {{"sound", found.is_sound()},
          {"took_ms", took.count()},
          {"events", found.events},
          {"index_rows", found.index_rows},
          {"head", found.head.value},
          {"root", eventstore::base64_of({reinterpret_cast<const char*>(found.root.data()), found.root.size()})},
          {"checkpoints", found.checkpoints},
          {"signed_events", found.signed_events},
          {"unsigned_events", found.head.value - found.signed_events},
          {"findings", std::move(findings)},
          {"further_findings", found.further_findings}};
}

// What an auditor has to know of the keys of the log.
json findings_of(const std::vector<projections::LogKey>& known, const std::vector<eventstore::VerifierKey>& trusted) {
  json findings = json::array();
  const auto add = [&](const projections::LogKey& key, const std::string& what) {
    findings.push_back({{"first", key.position.value}, {"last", key.position.value}, {"what", what}});
  };
  bool reached = trusted.empty();
  for (const auto& key : known) {
    const bool named = std::find(trusted.begin(), trusted.end(), key.key) != trusted.end();
    if (reached && key.position != known.front().position && !key.vouched && !named) {
      add(key, fmt::format("the key {} begins to sign here, and the key before it does not vouch for it; trust it with --key if you know why",
                           key.key.text()));
    }
    reached = reached || named;
  }
  if (!reached) findings.push_back({{"first", nullptr}, {"last", nullptr}, {"what", "the key that is trusted never signed this log"}});
  return findings;
}

struct VerifyRequest {
  std::string directory, checkpoint;
  std::vector<std::string> keys;
  bool may_be_unsigned = false;
  std::uint32_t backup = 0;                 // of a directory of backups; 0: the newest
};

int verify_directory(const Session& session, const VerifyRequest& request);

// Backups are not read where they are: the log of one is restored beside them, looked at and removed. No name is.
int verify_backup(const Session& session, VerifyRequest request) {
  const std::filesystem::path backups(request.directory);
  const VerifyPlace place(backups);
  try {
    const auto restored = eventstore::Backups(backups).restore(place.path(), request.backup, eventstore::NamesOf::kNone);
    note("backup {} of {} is restored to {} while it is verified\n", restored.id, time_text(restored.taken), place.path().string());
  } catch (const std::exception& fault) {
    throw Failure(kExitFailed, fault.what());
  }
  request.directory = place.path().string();
  request.backup = 0;
  return verify_directory(session, request);
}

bool holds_backups(const std::filesystem::path& directory) {
  return std::filesystem::exists(directory / "log" / "meta") && !std::filesystem::exists(directory / "log" / "CURRENT");
}

int verify_directory(const Session& session, const VerifyRequest& request) {
  if (holds_backups(request.directory)) return verify_backup(session, request);
  if (request.backup != 0) {
    throw Failure(kExitUsage, fmt::format("--backup {}: {} is no directory of backups", request.backup, request.directory));
  }
  eventstore::VerifyOptions how;
  if (!request.checkpoint.empty()) {
    auto parsed = eventstore::parse_checkpoint(read_text(request.checkpoint));
    if (const auto* why = std::get_if<std::string>(&parsed)) throw Failure(kExitUsage, fmt::format("{}: {}", request.checkpoint, *why));
    how.given = std::get<eventstore::SignedCheckpoint>(std::move(parsed));
  }
  const auto keys = keys_of(request.keys);
  const auto progress = std::make_shared<TransferProgress>("verify", Unit::kCount);
  how.progress = [progress](std::uint64_t events, std::uint64_t of) {
    (*progress)(static_cast<std::int64_t>(events), static_cast<std::int64_t>(of));
  };
  return reading(request.directory, [&](const std::shared_ptr<eventstore::Log>& log) {
    const auto begin = std::chrono::steady_clock::now();
    const auto known = projections::log_keys(*log);
    how.keys = projections::trusted(known);
    json of_keys = findings_of(known, keys);
    const auto found = eventstore::verify(*log, how);
    auto result = verification_json(found, std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin));
    result["key"] = known.empty() ? json(nullptr) : json(known.front().key.text());
    result["key_is_known"] = !keys.empty() || how.given.has_value();
    // Whoever makes a log anew may leave the keys out.
    if (known.empty() && found.events != 0 && !request.may_be_unsigned) {
      of_keys.push_back({{"first", nullptr},
                         {"last", nullptr},
                         {"what", "no event tells of a key: nothing in this log is signed. --unsigned, if you know why"}});
    }
    if (!log->shortfall().empty()) of_keys.push_back({{"first", nullptr}, {"last", nullptr}, {"what", log->shortfall()}});
    for (auto& finding : of_keys) {
      result["sound"] = false;
      result["findings"].push_back(std::move(finding));
    }
    fmt::print("{}", session.json ? result.dump() + "\n" : verification_text(result));
    return result["sound"].get<bool>() ? 0 : kExitFailed;
  });
}

int verify_service(const Session& session, ServiceClient& client) {
  const auto before = expect_json(client.get("/audit/verification"));
  auto state = expect_json(client.post("/audit/verification", json::object()));
  TransferProgress progress("verify", Unit::kCount);
  while (!state["running"].is_null()) {
    progress(state["running"].value("events", std::int64_t{0}), state["running"].value("of", std::int64_t{0}));
    std::this_thread::sleep_for(kLookEvery);
    state = expect_json(client.get("/audit/verification"));
  }
  const auto& last = state["last"];
  if (last.is_null() || last == before["last"]) throw Failure(kExitFailed, "the service broke the verification off");
  fmt::print("{}", session.json ? last.dump() + "\n" : verification_text(last));
  return last.value("sound", false) ? 0 : kExitFailed;
}

void add_verify(CLI::App& audit, Session& session) {
  CLI::App* command = add_command(audit, "verify", "Verify every event: on a copy or a backup, or let the service do it");
  const auto request = std::make_shared<VerifyRequest>();
  command->add_option("DIRECTORY", request->directory, "A data directory, its log, or backups; without one the service verifies its own")
      ->check(CLI::ExistingDirectory);
  take_whole(command->add_option("--backup", request->backup, "Of a directory of backups: which one; the newest by itself"), 1,
             UINT32_MAX);
  command->add_option("--checkpoint", request->checkpoint, "A checkpoint that you kept: the log must begin with what it holds")
      ->check(CLI::ExistingFile);
  command->add_option("--key", request->keys, "A key that you know to be the log's; may be repeated");
  command->add_flag("--unsigned", request->may_be_unsigned, "A log that no key ever signed is sound, too");
  command->callback([&session, request] {
    const bool asks_more = !request->checkpoint.empty() || !request->keys.empty() || request->may_be_unsigned || request->backup != 0;
    if (request->directory.empty() && asks_more) {
      throw CLI::ValidationError("--backup, --checkpoint, --key, --unsigned", "are for a DIRECTORY: whom you do not trust should not verify itself");
    }
    session.action = [&session, request](ServiceClient& client) {
      if (request->directory.empty()) return verify_service(session, client);
      return verify_directory(session, *request);
    };
  });
}

// ---- checkpoint, keys ------------------------------------------------------------------------------------------------

json checkpoint_json(const std::string& note) {
  const auto parsed = eventstore::parse_checkpoint(note);
  if (const auto* why = std::get_if<std::string>(&parsed)) throw Failure(kExitFailed, fmt::format("the service's checkpoint: {}", *why));
  const auto& checkpoint = std::get<eventstore::SignedCheckpoint>(parsed).checkpoint;
  const auto& root = checkpoint.tree.root;
  return {{"origin", checkpoint.origin},
          {"size", checkpoint.tree.size},
          {"root", eventstore::base64_of({reinterpret_cast<const char*>(root.data()), root.size()})},
          {"time", time_text(checkpoint.time)},
          {"note", note}};
}

void add_checkpoint(CLI::App& audit, Session& session) {
  CLI::App* command = add_command(audit, "checkpoint", "The signed root of the log as of now: keep it elsewhere");
  const auto out = std::make_shared<std::string>();
  command->add_option("--out", *out, "Write it to this file");
  command->callback([&session, out] {
    session.action = [&session, out](ServiceClient& client) {
      const Reply reply = client.get("/audit/checkpoint");
      if (!reply.ok()) session.print(reply, [](const json&) { return std::string(); });
      if (!out->empty() || !session.json) write_text(*out, reply.body);
      if (session.json) fmt::print("{}", checkpoint_json(reply.body).dump() + "\n");
      return 0;
    };
  });
}

std::string keys_text(const json& answer) {
  Table table{{{"SINCE"}, {"EVENT", true}, {"UNTIL", true}, {"WHY"}, {"VOUCHED"}, {"KEY"}}};
  for (const auto& key : answer.contains("keys") ? answer["keys"] : json::array({answer})) {
    table.add({text::human_time(key.value("since", "")), value_text(key["position"]), key["until"].is_null() ? "-" : value_text(key["until"]),
               key.value("change", ""), key.value("vouched", false) ? "yes" : "-", text::printable(key.value("key", ""))});
  }
  return table.text();
}

void add_keys(CLI::App& audit, Session& session) {
  add_command(audit, "keys", "The keys that have signed the log")->callback([&session] {
    session.action = [&session](ServiceClient& client) {
      session.print(client.get("/audit/keys"), keys_text);
      return 0;
    };
  });
  add_command(audit, "rotate-key", "Sign with a new key from now on; the present one vouches for it")->callback([&session] {
    session.action = [&session](ServiceClient& client) {
      session.print(client.post("/audit/keys", json::object()), keys_text);
      return 0;
    };
  });
}

// ---- prove, check ----------------------------------------------------------------------------------------------------

std::string proven_text(const Proven& proven) {
  const auto& checkpoint = proven.checkpoint.checkpoint;
  std::string text = aligned({{"event", fmt::format("{} {}", proven.position, text::printable(proven.type))},
                              {"time", proven.time},
                              {"stream", text::printable(proven.stream)},
                              {"data", text::printable(proven.data)},
                              {"is in", fmt::format("{} with {} events", text::printable(checkpoint.origin), checkpoint.tree.size)},
                              {"signed by", text::printable(proven.signer)}});
  if (proven.key_is_from_proof) text += "That key is the proof's own word: compare it with one that you know, or name that with --key.\n";
  return text;
}

json proven_json(const Proven& proven) {
  return {{"position", proven.position},
          {"type", proven.type},
          {"time", proven.time},
          {"stream", proven.stream},
          {"data", proven.data.empty() ? json(nullptr) : json::parse(proven.data, nullptr, false)},
          {"origin", proven.checkpoint.checkpoint.origin},
          {"size", proven.checkpoint.checkpoint.tree.size},
          {"signer", proven.signer},
          {"key_is_known", !proven.key_is_from_proof}};
}

Proven expect_proven(const json& proof, const std::vector<std::string>& trusted) {
  auto checked = check_proof(proof, keys_of(trusted));
  if (const auto* why = std::get_if<std::string>(&checked)) throw Failure(kExitFailed, *why);
  return std::get<Proven>(std::move(checked));
}

void add_prove(CLI::App& audit, Session& session) {
  struct Request {
    std::uint64_t position = 0;
    std::string out;
    std::vector<std::string> keys;
  };
  CLI::App* command = add_command(audit, "prove", "Prove that an event is in the log, and check the proof");
  const auto request = std::make_shared<Request>();
  take_whole(command->add_option("EVENT", request->position, "Its position"), 1)->required();
  command->add_option("--out", request->out, "Keep the proof in this file, for `otactl audit check`");
  command->add_option("--key", request->keys, "A key that you know to be the log's; may be repeated");
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient& client) {
      const Reply reply = client.get(fmt::format("/audit/events/{}/proof", request->position));
      if (!reply.ok()) session.print(reply, [](const json&) { return std::string(); });
      const auto proven = expect_proven(expect_json(reply), request->keys);
      if (!request->out.empty()) write_text(request->out, reply.body + "\n");
      fmt::print("{}", session.json ? reply.body + "\n" : proven_text(proven));
      return 0;
    };
  });
}

void add_check(CLI::App& audit, Session& session) {
  struct Request {
    std::string file;
    std::vector<std::string> keys;
  };
  CLI::App* command = add_command(audit, "check", "Check a proof that was kept; the service is not asked");
  const auto request = std::make_shared<Request>();
  command->add_option("FILE", request->file, "The proof")->required()->check(CLI::ExistingFile);
  command->add_option("--key", request->keys, "A key that you know to be the log's; may be repeated");
  command->callback([&session, request] {
    session.action = [&session, request](ServiceClient&) {
      const auto proven = expect_proven(parse_proof(read_text(request->file)), request->keys);
      fmt::print("{}", session.json ? proven_json(proven).dump() + "\n" : proven_text(proven));
      return 0;
    };
  });
}

}  // namespace

void add_audit_commands(CLI::App& app, Session& session) {
  CLI::App* audit = add_command(app, "audit", "The log and its proofs: events, verify, checkpoint, keys, rotate-key, prove, check");
  add_events_command(*audit, session);
  add_verify(*audit, session);
  add_checkpoint(*audit, session);
  add_keys(*audit, session);
  add_prove(*audit, session);
  add_check(*audit, session);
}

}  // namespace ota::ctl
