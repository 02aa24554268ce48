// Signed checkpoints: their text, which others read too, their keys, and what is wrong with forged ones.
#include "eventstore/checkpoint.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>

#include "eventstore/base64.hpp"
#include "support.hpp"

using namespace ota::eventstore;
using namespace ota::eventstore::testing;

namespace {

Checkpoint some_checkpoint() {
  Checkpoint c{"ota-log/0011223344556677", {20'852'163, {}}, Timestamp(std::chrono::microseconds(1'795'774'530'123'456))};
  for (std::size_t i = 0; i < c.tree.root.size(); ++i) c.tree.root[i] = static_cast<std::uint8_t>(i);
  return c;
}

SignedCheckpoint parsed(std::string_view note) {
  auto result = parse_checkpoint(note);
  if (const auto* why = std::get_if<std::string>(&result)) FAIL(*why);
  return std::get<SignedCheckpoint>(std::move(result));
}

std::string why_not(std::string_view note) {
  const auto result = parse_checkpoint(note);
  REQUIRE(std::holds_alternative<std::string>(result));
  return std::get<std::string>(result);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

std::string why_no_key(const std::filesystem::path& file) {
  try {
    SigningKey::read(file);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "it can be read";
}

}  // namespace

TEST_CASE("a checkpoint is a signed note, and says the same when it is read") {
  const auto key = SigningKey::make();
  const auto c = some_checkpoint();
  const auto note = sign_checkpoint(c, key);
  CHECK(note.starts_with("ota-log/0011223344556677\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
                         "time 1795774530123456\n\n\xE2\x80\x94 ota-log/0011223344556677 "));
  const auto read = parsed(note);
  CHECK(read.checkpoint.origin == c.origin);
  CHECK(read.checkpoint.tree.size == c.tree.size);
  CHECK(read.checkpoint.tree.root == c.tree.root);
  CHECK(read.checkpoint.time == c.time);
  const VerifierKey verifier{c.origin, key.public_key()};
  CHECK(read.is_signed_by(verifier));
  CHECK_FALSE(read.is_signed_by({c.origin, SigningKey::make().public_key()}));
  CHECK_FALSE(read.is_signed_by({"another-log", key.public_key()}));
}

TEST_CASE("a changed checkpoint is not signed by anybody") {
  const auto key = SigningKey::make();
  const auto c = some_checkpoint();
  const auto note = sign_checkpoint(c, key);
  const VerifierKey verifier{c.origin, key.public_key()};
  CHECK_FALSE(parsed(replaced(note, "20852163", "20852164")).is_signed_by(verifier));
  CHECK_FALSE(parsed(replaced(note, "AAEC", "BAEC")).is_signed_by(verifier));
  CHECK_FALSE(parsed(replaced(note, "time 17", "time 18")).is_signed_by(verifier));
  CHECK_FALSE(parsed(replaced(note, "\ntime", "\nwitnessed\ntime")).is_signed_by(verifier));
  // What others add behind it changes nothing.
  CHECK(parsed(note + "\xE2\x80\x94 a-witness " + base64_of(std::string(76, 'w')) + "\n").is_signed_by(verifier));
}

TEST_CASE("what is no checkpoint is told so, with its place") {
  const auto note = sign_checkpoint(some_checkpoint(), SigningKey::make());
  CHECK(why_not("") == "this is no checkpoint: no empty line stands before its signatures");
  CHECK(why_not(replaced(note, "ota-log/", "ota log/")) == "this is no checkpoint: its first line is no origin");
  for (const char* size : {"020852163", "-1", "+1", "", "18446744073709551616", "2x"}) {
    CAPTURE(size);
    CHECK(why_not(replaced(note, "20852163", size)).find("no checkpoint") != std::string::npos);
  }
  CHECK(why_not(replaced(note, "AAEC", "AAE")) == "this is no checkpoint: its third line is no root of 32 bytes in base64");
  CHECK(why_not(replaced(note, "time 1", "time x1")) == "this is no checkpoint: its line \"time x1795774530123456\" is no time in microseconds");
  CHECK(why_not(note.substr(0, note.size() - 1)) == "this is no checkpoint: a line behind the empty one is no signature");
  CHECK(why_not(note + "more\n") == "this is no checkpoint: a line behind the empty one is no signature");
  CHECK(why_not(note.substr(0, note.find("\n\n") + 2)) == "this is no checkpoint: it has no signature");
}

// The key and the note are those that the documentation of golang.org/x/mod/sumdb/note shows.
TEST_CASE("a key and a note of other software are read, and the signature is right") {
  const std::string text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  const auto key = VerifierKey::parse(text);
  REQUIRE(key);
  CHECK(key->text() == text);
  const auto bytes = from_base64(
      "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=");
  REQUIRE(bytes);
  SignedCheckpoint note;
  note.signed_text =
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
  note.signatures.push_back({"PeterNeumann", key_id(*key), bytes->substr(4)});
  CHECK(bytes->substr(0, 4) == std::string(reinterpret_cast<const char*>(key_id(*key).data()), 4));
  CHECK(note.is_signed_by(*key));
}

TEST_CASE("a verifier's key has one text, which names it by its hash") {
  const auto ours = VerifierKey{"ota-log/1", SigningKey::make().public_key()};
  REQUIRE(VerifierKey::parse(ours.text()));
  CHECK(*VerifierKey::parse(ours.text()) == ours);
  CHECK_FALSE(VerifierKey::parse(replaced(ours.text(), "ota-log/1", "ota-log/2")));
  CHECK_FALSE(VerifierKey::parse(ours.text() + "="));
  CHECK_FALSE(VerifierKey::parse("name"));
  CHECK_FALSE(VerifierKey::parse("name+00000000+"));
}

TEST_CASE("a signing key is written for its owner alone, and read again") {
  TempDir directory;
  const auto file = directory.path() / "log-key.pem";
  const auto made = SigningKey::make();
  made.write(file);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  const auto read = SigningKey::read(file);
  CHECK(read.public_key() == made.public_key());
  CHECK(is_signature(made.public_key(), "message", read.sign("message")));
  CHECK_FALSE(is_signature(made.public_key(), "massage", read.sign("message")));
  CHECK_FALSE(is_signature(made.public_key(), "message", "short"));
  const auto next = SigningKey::make();
  next.write(file);
  CHECK(SigningKey::read(file).public_key() == next.public_key());

  ::chmod(file.c_str(), 0640);
  CHECK(why_no_key(file) == "the log's signing key " + file.string() + ": may be read by others (mode 0640): 0600 is wanted");
  std::ofstream(file) << "no key";
  ::chmod(file.c_str(), 0600);
  CHECK(why_no_key(file) == "the log's signing key " + file.string() + ": holds no Ed25519 private key in PEM form");
  CHECK(why_no_key(directory.path() / "missing").ends_with("cannot be read: No such file or directory"));
  CHECK_THROWS_WITH_AS(next.write(directory.path() / "missing" / "key"),
                       doctest::Contains("cannot be written: No such file or directory"), std::runtime_error);
}
