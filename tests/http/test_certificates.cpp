#include "tests/http/test_certificates.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>

namespace ota::http::test {
namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;
using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

Key new_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

void extend(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value), &X509_EXTENSION_free);
  REQUIRE(extension);
  X509_add_ext(certificate, extension.get(), -1);
}

Certificate make(const std::string& name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  static std::atomic<long> serial{1};
  Certificate certificate(X509_new(), &X509_free);
  X509* const c = certificate.get();
  X509_set_version(c, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(c), serial.fetch_add(1));
  X509_gmtime_adj(X509_getm_notBefore(c), -3'600);
  X509_gmtime_adj(X509_getm_notAfter(c), 24 * 3'600);
  X509_set_pubkey(c, key);
  if (!name.empty()) {
    X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  }
  X509_set_issuer_name(c, X509_get_subject_name(issuer ? issuer : c));
  extend(c, issuer ? issuer : c, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
  if (issuer) extend(c, issuer, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  REQUIRE(X509_sign(c, issuer_key, EVP_sha256()) > 0);
  return certificate;
}

void write_key(const std::string& path, EVP_PKEY* key) {
  const File file(std::fopen(path.c_str(), "w"), &std::fclose);
  REQUIRE((file && PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1));
}
void write_certificate(const std::string& path, X509* certificate) {
  const File file(std::fopen(path.c_str(), "w"), &std::fclose);
  REQUIRE((file && PEM_write_X509(file.get(), certificate) == 1));
}
Key read_key(const std::string& path) {
  const File file(std::fopen(path.c_str(), "r"), &std::fclose);
  return {PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
}
Certificate read_certificate(const std::string& path) {
  const File file(std::fopen(path.c_str(), "r"), &std::fclose);
  return {PEM_read_X509(file.get(), nullptr, nullptr, nullptr), &X509_free};
}

}  // namespace

struct TestCertificates::Issuer {
  Key key;
  Certificate certificate;
};

TestCertificates::TestCertificates() {
  static std::atomic<int> number{0};
  directory_ = std::filesystem::temp_directory_path() /
               ("ota-certificates-" + std::to_string(::getpid()) + "-" + std::to_string(number.fetch_add(1)));
  std::filesystem::create_directories(directory_);
  const auto key = new_key();
  write_key(file("authority.key"), key.get());
  write_certificate(authority(), make("Device CA", key.get(), nullptr, key.get()).get());
}

TestCertificates::~TestCertificates() { std::filesystem::remove_all(directory_); }

TestCertificates::Pair TestCertificates::write(const std::string& name, const std::string& common_name,
                                               const Issuer& issuer) const {
  const auto key = new_key();
  const Pair pair{file(name + ".pem"), file(name + ".key")};
  write_key(pair.key, key.get());
  write_certificate(pair.certificate, make(common_name, key.get(), issuer.certificate.get(), issuer.key.get()).get());
  return pair;
}

TestCertificates::Pair TestCertificates::issue(const std::string& name) const {
  return write(name, name, {read_key(file("authority.key")), read_certificate(authority())});
}

TestCertificates::Pair TestCertificates::issue_elsewhere(const std::string& name) const {
  const auto key = new_key();
  const auto authority = make("Somebody's CA", key.get(), nullptr, key.get());
  return write(name + "-elsewhere", name, {key, authority});
}

}  // namespace ota::http::test
