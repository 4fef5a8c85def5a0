#include "tests/support/test_certificates.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <utility>

namespace drover::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error("cannot make a test certificate: " + what);
}

File open_for_writing(const std::filesystem::path& path) {
  File file(std::fopen(path.c_str(), "we"), &std::fclose);
  require(file != nullptr, path.string());
  return file;
}

Key make_key() {
  Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  require(key != nullptr, "key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()), &X509_EXTENSION_free);
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, "extension " + value);
}

Certificate make_certificate(EVP_PKEY* key, const std::string& name, int serial, int from_days, int until_days) {
  Certificate certificate(X509_new(), &X509_free);
  require(certificate != nullptr, "memory");
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  constexpr long day = 24L * 60 * 60;
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_days * day);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until_days * day);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

bool is_address(const std::string& name) { return name.find_first_not_of("0123456789.") == std::string::npos || name.find(':') != std::string::npos; }

}  // namespace

TestAuthority::TestAuthority(std::filesystem::path directory, std::string name)
    : directory_(std::move(directory)), name_(std::move(name)), ca_file_(directory_ / (name_ + "-ca.pem")) {
  Key key = make_key();
  Certificate certificate = make_certificate(key.get(), name_ + " authority", serial_++, -365, 365);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash");
  require(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "signature");
  require(PEM_write_X509(open_for_writing(ca_file_).get(), certificate.get()) == 1, "file");
  key_ = key.release();
  certificate_ = certificate.release();
}

TestAuthority::~TestAuthority() {
  EVP_PKEY_free(static_cast<EVP_PKEY*>(key_));
  X509_free(static_cast<X509*>(certificate_));
}

TlsFiles TestAuthority::issue(const CertificateWish& wish) {
  auto* authority = static_cast<X509*>(certificate_);
  const std::string stem = name_ + "-" + std::to_string(serial_);
  TlsFiles files{.certificate = directory_ / (stem + ".pem"), .key = directory_ / (stem + "-key.pem")};

  const Key key = make_key();
  const Certificate certificate = make_certificate(key.get(), stem, serial_++, wish.valid_from_days, wish.valid_until_days);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(authority));
  std::string names;
  for (const std::string& name : wish.names) names += (names.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
  if (!names.empty()) add_extension(certificate.get(), authority, NID_subject_alt_name, names);
  add_extension(certificate.get(), authority, NID_ext_key_usage, "serverAuth,clientAuth");
  require(X509_sign(certificate.get(), static_cast<EVP_PKEY*>(key_), EVP_sha256()) > 0, "signature");

  const File certificate_file = open_for_writing(files.certificate);
  require(PEM_write_X509(certificate_file.get(), certificate.get()) == 1, "file");
  const File key_file = open_for_writing(files.key);
  require(PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "file");
  return files;
}

}  // namespace drover::test
