#include "tests/tools/net/test_certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace ota::sim::test {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;
constexpr long kValidSeconds = 3600;

void must(bool fine) {
  if (!fine) throw std::runtime_error("OpenSSL refuses a certificate of the test");
}

Key new_key() {
  Key key{EVP_EC_gen("P-256")};
  must(key != nullptr);
  return key;
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Free> extension{
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str())};
  must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

Certificate unsigned_certificate(const std::string& name, EVP_PKEY* key) {
  static long serial = 0;
  Certificate certificate{X509_new()};
  must(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kValidSeconds);
  must(X509_set_pubkey(certificate.get(), key) == 1);
  must(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                                  0) == 1);
  return certificate;
}

template <class Write>
std::string pem(Write write) {
  const std::unique_ptr<BIO, Free> bio{BIO_new(BIO_s_mem())};
  must(bio != nullptr && write(bio.get()) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  return pem([certificate](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

}  // namespace

struct TestAuthority::Keys {
  Key key;
  Certificate certificate;
};

TestAuthority::TestAuthority(const std::string& name) : keys_(std::make_unique<Keys>()) {
  keys_->key = new_key();
  keys_->certificate = unsigned_certificate(name, keys_->key.get());
  X509* certificate = keys_->certificate.get();
  must(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1);
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  must(X509_sign(certificate, keys_->key.get(), EVP_sha256()) > 0);
  pem_ = pem_of(certificate);
}
TestAuthority::TestAuthority(TestAuthority&&) noexcept = default;
TestAuthority::~TestAuthority() = default;

std::string TestAuthority::issue(const std::string& common_name, const std::string& names) const {
  const Key key = new_key();
  const Certificate certificate = unsigned_certificate(common_name, key.get());
  X509* authority = keys_->certificate.get();
  must(X509_set_issuer_name(certificate.get(), X509_get_subject_name(authority)) == 1);
  if (!names.empty()) add_extension(certificate.get(), authority, NID_subject_alt_name, names);
  must(X509_sign(certificate.get(), keys_->key.get(), EVP_sha256()) > 0);
  return pem_of(certificate.get()) + pem([&key](BIO* bio) {
           return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
         });
}

TestDirectory::TestDirectory()
    : path_((std::filesystem::temp_directory_path() / "otasim-XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no directory for a test");
}
TestDirectory::~TestDirectory() { std::filesystem::remove_all(path_); }

std::string TestDirectory::write(const std::string& name, const std::string& content) const {
  std::string path = path_ + "/" + name;
  std::ofstream{path, std::ios::binary} << content;
  return path;
}

}  // namespace ota::sim::test
