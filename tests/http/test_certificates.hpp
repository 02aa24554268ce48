// Certificates made for one test: an authority, and what it signs. Files in a temporary directory that goes with it.
#pragma once

#include <filesystem>
#include <string>

namespace ota::http::test {

class TestCertificates {
 public:
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  std::string authority() const { return file("authority.pem"); }
  // Paths of certificate and key; `name` is the common name; empty: there is none. For 127.0.0.1 and "localhost", too.
  struct Pair {
    std::string certificate;
    std::string key;
  };
  Pair issue(const std::string& name) const;
  // Signed by an authority that nobody knows.
  Pair issue_elsewhere(const std::string& name) const;

 private:
  struct Issuer;
  std::string file(const std::string& name) const { return (directory_ / name).string(); }
  Pair write(const std::string& name, const std::string& common_name, const Issuer& issuer) const;

  std::filesystem::path directory_;
};

}  // namespace ota::http::test
