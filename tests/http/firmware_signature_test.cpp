// Signatures of firmware: who may sign, what is refused, and what devices are handed (Ed25519 over the SHA-256).
#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <atomic>
#include <cstdio>
#include <filesystem>

#include "eventstore/base64.hpp"
#include "http/commands.hpp"
#include "tests/http/story.hpp"

namespace ota::http::test {
namespace {

using nlohmann::json;

// Somebody who builds firmware: a key pair, of which the public half lies in a file.
class Builder {
 public:
  Builder() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free) {
    static std::atomic<int> number{0};
    file_ = std::filesystem::temp_directory_path() / fmt::format("ota-builder-{}-{}.pem", ::getpid(), ++number);
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(file_.c_str(), "we"), &std::fclose);
    REQUIRE(key_ != nullptr);
    REQUIRE(out != nullptr);
    REQUIRE(PEM_write_PUBKEY(out.get(), key_.get()) == 1);
  }
  ~Builder() { std::filesystem::remove(file_); }
  Builder(const Builder&) = delete;
  Builder& operator=(const Builder&) = delete;

  const std::filesystem::path& file() const { return file_; }
  // In base64.
  std::string signs(const std::string& bytes) const {
    const auto hash = hash_of({bytes});
    std::string signature(64, '\0');
    std::size_t size = signature.size();
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    REQUIRE(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1);
    REQUIRE(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, hash.data(), hash.size()) == 1);
    return eventstore::base64_of(signature);
  }
  // 8 bytes of the SHA-256 of the raw key, in hex.
  std::string id() const {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    REQUIRE(EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size) == 1);
    return domain::to_hex(domain::view_of(hash_of({raw}))).substr(0, 16);
  }

 private:
  std::shared_ptr<EVP_PKEY> key_;
  std::filesystem::path file_;
};

ApiOptions with(SignatureKeys keys) {
  auto options = ApiStage::open_to_devices();
  options.signature_keys = std::move(keys);
  return options;
}

json signed_metadata(const std::string& version, const std::string& signature) {
  auto fields = metadata(version);
  fields["signature"] = signature;
  return fields;
}

const std::string kFile = "the bytes of a frame";

}  // namespace

TEST_CASE("a signature by a configured key is verified, shown with its key, and handed to devices") {
  const Builder ours, theirs;
  ApiStage stage(with(SignatureKeys({theirs.file(), ours.file()}, false)));
  const auto signature = ours.signs(kFile);
  const auto made = stage.upload(kFile, signed_metadata("2.0.0", signature));
  REQUIRE_MESSAGE(made.status == 201, made.body);
  const auto shown = stage.admin("GET", "/firmware/" + made.json()["firmware_id"].get<std::string>()).json();
  CHECK(shown["signature"] == signature);
  CHECK(shown["signature_verified"] == true);
  CHECK(shown["signature_key"] == ours.id());

  stage.device("d");
  stage.campaign(shown["firmware_id"], {"d"});
  const auto chunk = stage.ddi("GET", "/d/deploymentBase/" + stage.offered("d")).json()["deployment"]["chunks"][0];
  CHECK(chunk["metadata"] == json::array({{{"key", "signature"}, {"value", signature}}}));
}

TEST_CASE("a signature that no configured key made is refused, and nothing is kept") {
  const Builder ours, stranger;
  ApiStage stage(with(SignatureKeys({ours.file()}, false)));
  auto changed = ours.signs(kFile);
  changed[10] = changed[10] == 'A' ? 'B' : 'A';
  for (const auto& signature : {stranger.signs(kFile), ours.signs(kFile + "."), changed}) {
    const auto refused = stage.upload(kFile, signed_metadata("2.0.0", signature));
    CHECK(refused.status == 422);
    CHECK(refused.faults() == "signature: value_error\n");
    CHECK(refused.body.find(domain::to_hex(domain::view_of(hash_of({kFile})))) != std::string::npos);
  }
  CHECK(stage.admin("GET", "/firmware").json()["count"] == 0);
  CHECK(stage.artifacts().count() == 0);
  // Registered by URL it is the same.
  auto fields = signed_metadata("2.0.0", stranger.signs(kFile));
  fields["file_url"] = "https://files.example/frame.bin";
  fields["file_size"] = kFile.size();
  fields["checksum_sha256"] = domain::to_hex(domain::view_of(hash_of({kFile})));
  const auto by_url = [&] { return stage.admin("POST", "/firmware", fields.dump(), "Content-Type: application/json\r\n"); };
  CHECK(by_url().status == 422);
  fields["signature"] = ours.signs(kFile);
  const auto made = by_url();
  REQUIRE_MESSAGE(made.status == 201, made.body);
  CHECK(made.json()["signature_verified"] == true);
  // Without a signature nothing is claimed.
  const auto plain = stage.upload(kFile, metadata("3.0.0"));
  CHECK(plain.status == 201);
  CHECK(plain.json()["signature_verified"].is_null());
}

TEST_CASE("where a signature is required none is registered without") {
  const Builder ours;
  ApiStage stage(with(SignatureKeys({ours.file()}, true)));
  const auto refused = stage.upload(kFile, metadata("2.0.0"));
  CHECK(refused.status == 422);
  CHECK(refused.faults() == "signature: value_error\n");
  CHECK(stage.upload(kFile, signed_metadata("2.0.0", ours.signs(kFile))).status == 201);
}

TEST_CASE("without any key a signature is kept, and not called verified") {
  ApiStage stage(with({}));
  const Builder somebody;
  const auto made = stage.upload(kFile, signed_metadata("2.0.0", somebody.signs(kFile)));
  REQUIRE_MESSAGE(made.status == 201, made.body);
  CHECK(made.json()["signature_verified"] == false);
  CHECK(made.json()["signature_key"].is_null());
  for (const char* wrong : {"AAAA", "!", "c2hvcnQ="}) {
    const auto refused = stage.upload(kFile, signed_metadata("2.0.1", wrong));
    CHECK(refused.status == 422);
    CHECK(refused.body.find("signature") != std::string::npos);
  }
}

TEST_CASE("a file that holds no public key, and a demand without any key, are told at the start") {
  const Builder ours;
  const auto other = ours.file().string() + ".missing";
  CHECK_THROWS_WITH((SignatureKeys({ours.file(), other}, false)), (other + " holds no Ed25519 public key in PEM form").c_str());
  CHECK_THROWS_WITH((SignatureKeys({}, true)), "signatures are required, and no key is configured to verify them");
  CHECK(SignatureKeys({ours.file()}, true).size() == 1);
}

}  // namespace ota::http::test
