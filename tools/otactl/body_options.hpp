// Options that are members of a request body: what the user did not give is not sent, so that the
// service's defaults hold.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace ota::ctl {

using Body = std::shared_ptr<nlohmann::json>;

class BodyOptions {
 public:
  BodyOptions(CLI::App& command, Body body) : command_(command), body_(std::move(body)) {}

  CLI::Option* text(const std::string& flag, const std::string& member, const std::string& help);
  // "@file" reads the text from a file.
  CLI::Option* text_or_file(const std::string& flag, const std::string& member,
                            const std::string& help);
  CLI::Option* integer(const std::string& flag, const std::string& member, const std::string& help);
  CLI::Option* number(const std::string& flag, const std::string& member, const std::string& help);
  CLI::Option* json(const std::string& flag, const std::string& member, const std::string& help);
  // May be given several times; the member is a list of strings.
  CLI::Option* texts(const std::string& flag, const std::string& member, const std::string& help);
  // "--beta" sets true; "--auto-rollback,!--no-auto-rollback" sets either.
  CLI::Option* flag(const std::string& flag, const std::string& member, const std::string& help);
  // "--field name=JSON", for any member that has no option of its own.
  void any_field();

 private:
  CLI::App& command_;
  Body body_;
};

// Answers the content of a file, of standard input for "-"; throws CLI::ValidationError naming the
// option.
std::string read_text_file(const std::string& option, const std::string& path);

}  // namespace ota::ctl
