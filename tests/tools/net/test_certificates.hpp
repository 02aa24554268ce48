// Certificates of a test: an authority that lives as long as the test, and what it signs.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

namespace ota::sim::test {

// Keys are EC P-256: made in no time.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  TestAuthority(TestAuthority&&) noexcept;
  ~TestAuthority();

  const std::string& certificate() const { return pem_; }

  // Answers certificate and key, PEM. `names`: the subjectAltName as OpenSSL's configuration has it,
  // "DNS:a.example,IP:127.0.0.1"; empty: none.
  std::string issue(const std::string& common_name, const std::string& names) const;

 private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
  std::string pem_;
};

// A directory of its own, removed at the end.
class TestDirectory {
 public:
  TestDirectory();
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory();

  // Writes a file and answers its path.
  std::string write(const std::string& name, const std::string& content) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace ota::sim::test
