// docker's and podman's certs.d: what a host is verified with, and what we show it (containers-certs.d(5)).
#pragma once

#include "net/transport.h"

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace drover::registry {

struct HostCertificates {
  std::filesystem::path directory;  // where they were found
  net::TlsOptions tls;              // verification on
};

// `<directory>/<host[:port]>/` in the first of `directories` that has one with certificates in it: *.crt are authorities, *.cert with the
// *.key of the same name is what we show. Nothing when none has. Throws invalid for a client certificate without its key.
std::optional<HostCertificates> find_certificates(const std::vector<std::filesystem::path>& directories, std::string_view host_and_port);

}  // namespace drover::registry
