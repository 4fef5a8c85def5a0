// A certificate authority of a test's own: made at start, in a folder of the test, gone with it.
#pragma once

#include "tests/support/loopback_server.h"

#include <filesystem>
#include <string>
#include <vector>

namespace drover::test {

struct CertificateWish {
  std::vector<std::string> names = {"127.0.0.1", "localhost"};  // host names and addresses
  int valid_from_days = -1;                                      // from now
  int valid_until_days = 30;
};

class TestAuthority {
 public:
  // Writes <name>-ca.pem into `directory`, which must outlive what is issued.
  explicit TestAuthority(std::filesystem::path directory, std::string name = "test");
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  const std::filesystem::path& ca_file() const { return ca_file_; }
  // A certificate for server and client use, and its key, as PEM files. Throws std::runtime_error.
  TlsFiles issue(const CertificateWish& wish = {});

 private:
  std::filesystem::path directory_;
  std::string name_;
  std::filesystem::path ca_file_;
  void* key_ = nullptr;          // EVP_PKEY
  void* certificate_ = nullptr;  // X509
  int serial_ = 1;
};

}  // namespace drover::test
